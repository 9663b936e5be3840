import * as host from 'bailiwick:skill/models@0.1.0';
import { asking } from './error.js';

export function complete(question) {
  const { messages, model, maxTokens, temperature, outputSchema } =
    typeof question === 'string' ? { messages: [{ role: 'user', content: question }] } : question;
  const schema = outputSchema === undefined ? undefined : JSON.stringify(outputSchema);
  return asking(model ? `the model ${model}` : 'the model', () =>
    host.complete({ model, messages, maxTokens, temperature, outputSchema: schema }),
  );
}
