// Judges values with ajv, the validator that most JSON Schema tools use. Reads lines of
// {id, draft, schema, valid: [text…], invalid: [text…]} and writes a line for each value on which
// it says otherwise, and a last line with how many it judged. Texts are JSON; a schema that ajv
// cannot compile is written as such.
const readline = require('node:readline');
const formats = require('ajv-formats');
const validators = {
  '2020-12': require('ajv/dist/2020'),
  'draft4': require('ajv-draft-04'),
};

const options = {strict: false, allErrors: false, validateFormats: true, logger: false, unicodeRegExp: true, ownProperties: true};
let judged = 0;

readline.createInterface({input: process.stdin, crlfDelay: Infinity}).on('line', (line) => {
  const {id, draft, schema, valid, invalid} = JSON.parse(line);
  let validate;
  try {
    const ajv = new (validators[draft].default ?? validators[draft])(options);
    formats(ajv, {mode: 'full'});
    validate = ajv.compile(schema);
  } catch (err) {
    console.log(JSON.stringify({id, problem: `ajv cannot compile the schema: ${err.message}`}));
    return;
  }
  const judge = (texts, want) => {
    for (const text of texts ?? []) {
      judged++;
      if (validate(JSON.parse(text)) !== want) {
        console.log(JSON.stringify({id, text: text.slice(0, 300), problem: want ? ajvSays(validate) : 'ajv takes it'}));
      }
    }
  };
  judge(valid, true);
  judge(invalid, false);
}).on('close', () => console.log(JSON.stringify({judged})));

function ajvSays(validate) {
  return (validate.errors ?? []).map((e) => `${e.instancePath} ${e.message}`).join('; ');
}
