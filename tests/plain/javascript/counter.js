// Counts surveys, in plain componentize-js: no SDK of any host.

export const counting = {
  same(survey) {
    return survey;
  },

  mean(survey, id) {
    const question = survey.questions.find((question) => question.id === id);
    if (question === undefined) {
      throw { tag: 'unknown', val: id };
    }
    let [sum, weights, count] = [0, 0, 0];
    for (const sheet of survey.sheets) {
      for (const [asked, answer] of sheet.answers) {
        if (asked === id && answer.tag === 'number') {
          sum += answer.val * sheet.weight;
          weights += sheet.weight;
          count += 1;
        }
      }
    }
    if (count === 0) {
      throw { tag: 'nobody', val: question };
    }
    return [sum / weights, count];
  },

  certainties(sheets) {
    const counts = new Map([['guess', 0n], ['think', 0n], ['know', 0n]]);
    for (const sheet of sheets) {
      for (const [, , certainty] of sheet.answers) {
        counts.set(certainty, counts.get(certainty) + 1n);
      }
    }
    return [...counts];
  },

  text(survey, id) {
    const question = survey.questions.find((question) => question.id === id);
    if (question === undefined) {
      throw new Error(`there is no question ${id}`);
    }
    return question.text;
  },

  person(sheet) {
    if (!sheet.valid) {
      throw new Error(`the sheet of ${sheet.person} is not valid`);
    }
    if (sheet.person === 0n) {
      throw 'nobody has the number 0';
    }
    return sheet.person;
  },
};

export function version() {
  return '2.0.0';
}

export function echo(text) {
  return text;
}
