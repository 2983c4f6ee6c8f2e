import assert from 'node:assert/strict'
import { test } from 'node:test'
import { InvalidInput } from '../../domain/errors.ts'
import { parseTemplateText } from './template-text.ts'

const READ: readonly (readonly [text: string, value: unknown])[] = [
  ['{"a": [1, "x", null, true]}', { a: [1, 'x', null, true] }],
  ['a: [1, x, ~, true]\nb: "\\u00e9"\n', { a: [1, 'x', null, true], b: 'é' }],
  ['# comment\n---\na: {b: c}\n...\n', { a: { b: 'c' } }],
  ['a: |\n  one\n  two\nb: >\n  one\n  two\n', { a: 'one\ntwo\n', b: 'one two\n' }],
  // As YAML 1.2 has it: only true and false are booleans, and a version is a text when it has two dots.
  ['yes: no\non: 1.2.3\noct: 0o17', { yes: 'no', on: '1.2.3', oct: 15 }],
  ['{a: !!str 1, b: !!int "2"}', { a: '1', b: 2 }],
  ['1: one\ntrue: yes', { 1: 'one', true: 'yes' }],
  ['a: &x {k: [1]}\nb: *x\nc: [*x, *x]', { a: { k: [1] }, b: { k: [1] }, c: [{ k: [1] }, { k: [1] }] }],
  ['a: &x 1\nb: &x 2\nc: *x', { a: 1, b: 2, c: 2 }],
  ['a: &x [&y 1]\nb: &y 2\nc: [*x, *y]', { a: [1], b: 2, c: [[1], 2] }],
  ['a:\n', { a: null }],
  ['', null],
]

test('JSON and YAML are read to the same values', () => {
  for (const [text, value] of READ) assert.deepEqual(parseTemplateText(text), value, text)
})

const nested = (open: string, close: string, depth: number): string => `${open.repeat(depth)}1${close.repeat(depth)}`

const BOMB = [
  'a0: &a0 [x, x, x, x, x, x, x, x, x]',
  ...Array.from({ length: 9 }, (_, i) => `a${i + 1}: &a${i + 1} [${Array(9).fill(`*a${i}`).join(', ')}]`),
].join('\n')

const UNREADABLE: readonly (readonly [about: string, text: string, says: RegExp])[] = [
  ['no YAML', 'a: [1', /neither JSON nor YAML/],
  ['no JSON and no YAML', '{"a": }}', /neither JSON nor YAML/],
  ['a tabulator as indentation', 'a:\n\tb: 1', /tab/i],
  ['two documents', 'a: 1\n---\nb: 2', /multiple documents/],
  ['a name twice', 'a: 1\nb: 2\na: 3', /'a' stands twice/],
  ['a name twice in another spelling', '{1: x, "1": y}', /'1' stands twice/],
  ['a tag', 'a: !!python/object/apply:os.system [ls]', /tag/],
  ['a tag of old YAML', 'a: !!binary aGVsbG8=', /tag/],
  ['a tag of an own', 'a: !mine x', /tag/],
  ['an alias of nothing', 'a: *x', /alias 'x' stands for nothing/],
  ['an alias of what holds it', 'a: &x [*x]', /alias 'x' stands for nothing/],
  ['aliases of aliases', BOMB, /more than 20000 values/],
  ['a mapping as name', '{[1]: x}', /not a word/],
  ['nothing as name', '? \n: x', /not a word/],
  ['a name that changes objects', '__proto__: {}', /__proto__/],
  ['the same in JSON', '{"__proto__": {}}', /__proto__/],
  ['infinity', 'a: .inf', /not a number of JSON/],
  ['no number', 'a: .nan', /not a number of JSON/],
  ['half a character', '{"a": "\\ud800"}', /surrogate/],
  ['half a character in YAML', 'a: "\\ud800"', /surrogate/],
  ['deep JSON', nested('[', ']', 100), /more than 64 levels/],
  ['deep YAML', nested('{a: ', '}', 100), /more than 64 levels/],
  ['deeper JSON than a stack', nested('[', ']', 500_000), /more than 64 levels/],
  ['deeper YAML than a stack', '['.repeat(60_000), /more than 20000 words/],
  ['deep lists in one line', '- '.repeat(9_000), /neither JSON nor YAML/],
  ['deep keys in one line', '? '.repeat(9_000), /neither JSON nor YAML/],
  ['many errors', `[${','.repeat(60_000)}`, /more than 20000 words/],
  ['long YAML', `a: ${'x'.repeat(70_000)}`, /at most 65536 characters/],
]

test('what cannot be read, or would take too long, is refused with the reason', () => {
  for (const [about, text, says] of UNREADABLE) {
    assert.throws(
      () => parseTemplateText(text),
      (error) => {
        assert.ok(error instanceof InvalidInput, `${about}: ${String(error)}`)
        assert.equal(error.code, 'failed-parse-string-to-json', about)
        assert.match(error.message, says, about)
        assert.ok(error.message.length < 500, about)
        return true
      },
      about,
    )
  }
})

test('long JSON is read', () => {
  const long = { a: 'x'.repeat(500_000), b: Array(30_000).fill(1) }
  assert.deepEqual(parseTemplateText(JSON.stringify(long)), long)
})
