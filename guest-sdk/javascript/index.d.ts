/** What a skill in JavaScript or TypeScript asks its host for, and how it says its types. */

declare const bailiwickType: unique symbol;

/** A whole number from 0 to 255. */
export type U8 = number & { readonly [bailiwickType]?: 'u8' };
/** A whole number from 0 to 65535. */
export type U16 = number & { readonly [bailiwickType]?: 'u16' };
/** A whole number from 0 to 4294967295. */
export type U32 = number & { readonly [bailiwickType]?: 'u32' };
/** A whole number of 64 bits without a sign: a `bigint`. */
export type U64 = bigint & { readonly [bailiwickType]?: 'u64' };
/** A whole number from -128 to 127. */
export type S8 = number & { readonly [bailiwickType]?: 's8' };
/** A whole number from -32768 to 32767. */
export type S16 = number & { readonly [bailiwickType]?: 's16' };
/** A whole number from -2147483648 to 2147483647. */
export type S32 = number & { readonly [bailiwickType]?: 's32' };
/** A whole number of 64 bits with a sign: a `bigint`. */
export type S64 = bigint & { readonly [bailiwickType]?: 's64' };
/** A number of 32 bits with a point. */
export type F32 = number & { readonly [bailiwickType]?: 'f32' };
/** One character of Unicode. */
export type Char = string & { readonly [bailiwickType]?: 'char' };
/** Names that hold or don't: `Flags<"bold" | "italic">` is `{ bold?: boolean, italic?: boolean }`. */
export type Flags<Names extends string> = { [Name in Names]?: boolean } & { readonly [bailiwickType]?: 'flags' };

/** What JSON can say. */
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/** A failure that the tool foresees: the caller reads the message as it stands. */
export class ToolError extends Error {}
/** The arguments don't fit: for tools that are listed at run time, prompts and workflows. */
export class InvalidArguments extends ToolError {}
/** There is no tool, prompt or resource of that name. */
export class NotFound extends ToolError {}

/** What the host refused or could not do. */
export class HostError extends Error {
  /** The case, such as `denied`, `not-found`, `failed`, `approval-required` or `limit`. */
  readonly kind: string;
  /** What came with it: words, an approval's id, or the output of a tool that failed, as JSON. */
  readonly detail?: string;
}

export declare namespace progress {
  /** `done` of `total`, in a unit of your own; `message` is one line for a person. */
  function report(done: number | bigint, total?: number | bigint, message?: string): void;
}

/** Messages for whoever looks into a call. `context` names the part that they come from. */
export declare namespace log {
  function trace(message: string, context?: string): void;
  function debug(message: string, context?: string): void;
  function info(message: string, context?: string): void;
  function warn(message: string, context?: string): void;
  function error(message: string, context?: string): void;
}

/** Other skills, each under its own grant. */
export declare namespace skills {
  interface Request {
    /** `namespace/name`, with `@version` where it has to be a certain one. */
    skill: string;
    /** Can be left out where the skill has only one. */
    tool?: string;
    arguments?: { [name: string]: unknown };
  }
  /** Calls a tool and gives its output. Throws `HostError`. */
  function call(skill: string, tool?: string, args?: { [name: string]: unknown }): any;
  /** Calls tools side by side; the answers are in the order of the requests. */
  function callAll(requests: Request[]): ({ ok: any; error?: undefined } | { ok?: undefined; error: HostError })[];
}

/** Language models of the host. */
export declare namespace models {
  interface Message {
    role: 'system' | 'user' | 'assistant';
    content: string;
  }
  interface Request {
    messages: Message[];
    /** None for the first that the skill was granted. */
    model?: string;
    maxTokens?: number;
    temperature?: number;
    /** A JSON Schema that the answer has to fit. */
    outputSchema?: object;
  }
  interface Response {
    model: string;
    text: string;
    finish: 'stop' | 'length' | 'refusal';
    inputTokens: bigint;
    outputTokens: bigint;
  }
  /** Asks a model and waits for the whole answer. Throws `HostError`. */
  function complete(question: string | Request): Response;
}

/** Questions to the people who look after the host. */
export declare namespace approvals {
  /** Waits for a person. Throws `HostError` with the kind `pending` where nobody answers in time. */
  function ask(summary: string, details?: { [name: string]: unknown }): { approved: boolean; reason?: string };
}

/** What the skill keeps from one call to the next, where it was granted state. */
export declare namespace state {
  export function get(key: string): Uint8Array | undefined;
  export function getText(key: string): string | undefined;
  export function getJson(key: string): any;
  export function set(key: string, value: string | Uint8Array): void;
  export function setJson(key: string, value: unknown): void;
  export function has(key: string): boolean;
  export function keys(limit?: number): string[];
  function remove(key: string): void;
  export { remove as delete };
}

/** Numbers of the state that several calls count at once. */
export declare namespace counters {
  /** Adds in one step that no other call can come between, and gives the sum. */
  function increment(key: string, by?: number | bigint): bigint;
}

/** Files in the folders that were granted, by absolute paths such as `/work/notes.md`. */
export declare namespace files {
  function read(path: string): Uint8Array;
  function readText(path: string): string;
  /** Makes the file, or takes the place of its content. */
  function write(path: string, content: string | Uint8Array): void;
  /** What is in a folder, by name. */
  function list(path: string): { name: string; folder: boolean }[];
  function makeFolder(path: string): void;
  function remove(path: string): void;
  /** Removes an empty folder. */
  function removeFolder(path: string): void;
}

/** Settings that the operator gave to the skill. */
export declare namespace config {
  function get(key: string): string | undefined;
  function all(): { [key: string]: string };
}

/** A tool that is known only at run time. */
export interface ListedTool {
  name: string;
  description?: string;
  /** JSON Schema of the arguments, which are an object. */
  inputSchema: object;
  /** JSON Schema of the output. */
  outputSchema?: object;
}

/** Where tools come from that are known only at run time. Export one, made by `toolProvider`. */
export interface ToolProvider {
  list(): ListedTool[] | Promise<ListedTool[]>;
  call(name: string, args: { [name: string]: any }): unknown;
}
export declare function toolProvider(provider: ToolProvider): ToolProvider;

/** What a function marked `@prompt` can give beside a string. */
export interface PromptMessage {
  role: 'user' | 'assistant';
  text: string;
}
export interface PromptContent {
  description?: string;
  messages: PromptMessage[];
}
