/** Values that requests of careless or hostile people hold. */
import fc from 'fast-check'

const DEEP = nested(200)
const VERY_DEEP = nested(1_500)

function nested(depth: number): unknown {
  return JSON.parse(`${'['.repeat(depth)}${']'.repeat(depth)}`) as unknown
}

export const ODD_TEXTS = [
  '',
  ' ',
  '\0',
  'a\0b',
  '\ud800',
  'a\udfff',
  '💥',
  '\u202egnirts',
  'ı̇',
  '\r\nX-Injected: 1',
  'NaN',
  'Infinity',
  '-1',
  '0',
  '00',
  '+1',
  '1.5',
  '1e3',
  '0x10',
  '9'.repeat(30),
  'None',
  'null',
  'undefined',
  '[object Object]',
  '__proto__',
  'constructor',
  'toString',
  '../../etc/passwd',
  '%00',
  '%2f',
  "' or 1=1 --",
  '"',
  '`id`',
  '$(id)',
  '{{7*7}}',
  '<script>',
  'x'.repeat(256),
  'x'.repeat(70_000),
  '٣',
  '2026-02-31 00:00:00,1',
] as const

const ODD_VALUES: readonly unknown[] = [
  null,
  true,
  false,
  0,
  -0,
  -1,
  1.5,
  0.1 + 0.2,
  2 ** 31,
  2 ** 53,
  1e21,
  1e308,
  5e-324,
  [],
  {},
  [[]],
  [null],
  [''],
  ['a', 1],
  ['a', 'a'],
  { a: {} },
  { '': '' },
  { constructor: { prototype: { polluted: true } } },
  JSON.parse('{"__proto__": {"isAdmin": true}}'),
  JSON.parse('{"__proto__": "text", "a": "b"}'),
  DEEP,
  VERY_DEEP,
  Array.from({ length: 3_000 }, (_, n) => n),
  Object.fromEntries(Array.from({ length: 3_000 }, (_, n) => [`key${n}`, n])),
]

export const oddText: fc.Arbitrary<string> = fc.oneof(
  fc.constantFrom(...ODD_TEXTS),
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.string({ unit: 'grapheme', maxLength: 40 }),
)

export const oddValue: fc.Arbitrary<unknown> = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(...ODD_VALUES) },
  { weight: 3, arbitrary: oddText },
  { weight: 1, arbitrary: fc.double({ noNaN: true, noDefaultInfinity: true }) },
  { weight: 1, arbitrary: fc.integer() },
  { weight: 1, arbitrary: fc.jsonValue({ maxDepth: 4 }) },
)

/** Whole bodies that are not what was asked for. */
export const oddPayload: fc.Arbitrary<Buffer> = fc.oneof(
  fc.jsonValue().map((value) => Buffer.from(JSON.stringify(value))),
  oddValue.map((value) => Buffer.from(JSON.stringify(value))),
  fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
  fc.constantFrom(
    Buffer.from('{'),
    Buffer.from('{"image": "busybox"'),
    Buffer.from('{"image": "busybox"} trailing'),
    Buffer.from('{"image": "busybox", "image": "nginx"}'),
    Buffer.from('{image: busybox}'),
    Buffer.from("{'image': 'busybox'}"),
    Buffer.from('\ufeff{"image": "busybox"}'),
    Buffer.from('{"image": "bu\u0000sy"}'),
    Buffer.from('{"image": NaN}'),
    Buffer.from('null'),
    Buffer.from(' '),
    Buffer.from('image=busybox&name=x'),
    Buffer.from([0xff, 0xfe, 0x7b, 0x00]),
    Buffer.concat([Buffer.from('{"image": "'), Buffer.from([0xc3, 0x28, 0xa0, 0xed, 0xa0, 0x80]), Buffer.from('"}')]),
    Buffer.from(`${'{"a":'.repeat(50_000)}1${'}'.repeat(50_000)}`),
    Buffer.from('[1,'.repeat(50_000)),
  ),
)

/** Parts of a path, as they stand in a URL. */
export const oddSegment: fc.Arbitrary<string> = fc.oneof(
  fc.constantFrom(
    '%00',
    '%2f',
    '%2F%2e%2e%2f',
    '..',
    '.',
    '.json',
    '%',
    '%zz',
    '%e0%a4',
    '%c0%af',
    '%ff',
    '%ed%a0%80',
    '%20',
    '+',
    ':ident',
    '*',
    '~',
    ';a=b',
    'a'.repeat(300),
    'a'.repeat(9_000),
    '%41'.repeat(3_000),
    'start',
    'logs',
    '__proto__',
    'constructor',
    '%7B%7D',
    '{0e7a2f5c-6bfd-4b63-8c46-0123456789ab}',
  ),
  fc.string({ unit: 'binary', minLength: 1, maxLength: 12 }).map((text) => encodeURIComponent(text.toWellFormed())),
)

export const oddVersion: fc.Arbitrary<string> = fc.oneof(
  fc.constantFrom(
    '1.10',
    'container',
    'container 1.1 x',
    'container 1',
    'container 1.0',
    'container 1.41',
    'container 2.1',
    'container -1.5',
    'container 1.999999999999',
    'container 1.1e1',
    'container 1.１',
    'compute 1.10',
    'compute latest',
    'container LATEST',
    'CONTAINER 1.5',
    '  container   1.5 ',
    'container 1.5, container 1.6',
    ',',
    'x'.repeat(5_000),
  ),
  fc.stringMatching(/^[ -~]{0,30}$/),
)

export const oddToken: fc.Arbitrary<string> = fc.oneof(
  fc.constantFrom('', ' ', 'zund', 'null', 'x'.repeat(300), 'x'.repeat(20_000), "' or 1=1 --", 'a, b', '\u00ff\u00fe'),
  fc.stringMatching(/^[!-~]{1,60}$/),
)

export const oddContentType: fc.Arbitrary<string> = fc.constantFrom(
  '',
  'application',
  '/',
  ';',
  ';;;charset',
  'text/plain',
  'application/json; charset=utf-16',
  'application/json;charset="',
  'APPLICATION/JSON',
  'application/xml',
  'application/octet-stream',
  'multipart/form-data; boundary=x',
  'application/x-www-form-urlencoded',
  'application/json, text/plain',
  'application/javascript',
)

export const oddAccept: fc.Arbitrary<string> = fc.constantFrom(
  '',
  'text/html',
  'application/xml',
  'application/*;q=0',
  '*/*;q=0.1',
  ';',
  'x'.repeat(2_000),
)
