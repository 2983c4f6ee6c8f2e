/** docs/compatibility says of each row which test shows it: that test must be there. */
import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'

const SERVER = join(import.meta.dirname, '..')
const DOCS = join(SERVER, '../../docs')
const WORDS = ['same', 'better', 'kept', 'openstack']

/** Tests that run in several places stand in a file of their own. */
const TEST_FILE = /^test\/.*\.(ts|ya?ml|json)$|\.test\.ts$/

const pages = readdirSync(join(DOCS, 'compatibility')).filter((name) => name.endsWith('.md'))

interface Row {
  readonly line: number
  readonly cells: readonly string[]
}

/** Rows of all tables of a page, without their heads. */
function rowsOf(text: string): Row[] {
  const lines = text.split('\n')
  return lines.flatMap((line, i) => {
    if (!line.startsWith('|') || /^\|[\s|:-]+\|$/.test(line)) return []
    if (/^\|[\s|:-]+\|$/.test(lines[i + 1] ?? '')) return []
    // A bar within a cell is written \|.
    const cells = line.split(/(?<!\\)\|/).slice(1, -1)
    return [{ line: i + 1, cells: cells.map((cell) => cell.trim()) }]
  })
}

/** What is wrong with a row, if anything is. */
function complaint({ cells }: Row): string | undefined {
  const [what = '', how = '', tests = '', ...more] = cells
  if (what === '' || more.length > 0) return 'it does not have three cells'
  const word = /^\*\*(\w+)\*\*/.exec(how)?.[1]
  if (word === undefined || !WORDS.includes(word)) return `it does not begin with one of ${WORDS.join(', ')}`
  if (word === 'better' && how.length < 20) return 'it does not say what is better'
  const named = [...tests.matchAll(/`([^`]+)`((?:\s*"(?:[^"\\]|\\.)+")*)/g)]
  if (named.length === 0) return 'it names no test'
  for (const [, file = '', titles = ''] of named) {
    const path = join(SERVER, file)
    if (!TEST_FILE.test(file) || !existsSync(path)) return `there is no test file ${file}`
    const text = readFileSync(path, 'utf8')
    for (const [, title = ''] of titles.matchAll(/"((?:[^"\\]|\\.)+)"/g)) {
      if (!text.includes(title)) return `${file} has no test "${title}"`
    }
  }
  return undefined
}

for (const page of pages) {
  test(`every row of compatibility/${page} has a test that is there`, () => {
    const rows = rowsOf(readFileSync(join(DOCS, 'compatibility', page), 'utf8'))
    assert.ok(rows.length > 0, 'the page has no rows')
    const wrong = rows.flatMap((row) => {
      const why = complaint(row)
      return why === undefined ? [] : [`line ${row.line}: ${why}`]
    })
    assert.deepEqual(wrong, [])
  })
}

test('the pages are those that the overview lists', () => {
  const overview = readFileSync(join(DOCS, 'compatibility.md'), 'utf8')
  const linked = [...overview.matchAll(/\(compatibility\/([\w-]+\.md)\)/g)].map(([, name]) => name ?? '')
  assert.deepEqual(linked.toSorted(), pages.toSorted())
})

test('a row that says nothing, or names what is not there, is found', () => {
  const good = '`src/compatibility.test.ts` "a row that says nothing"'
  const of = (line: string): string | undefined => complaint(rowsOf(line)[0] ?? { line: 0, cells: [] })
  assert.equal(of(`| what | **same** | ${good} |`), undefined)
  assert.equal(of('| a \\| b | **kept** | `src/compatibility.test.ts` |'), undefined)
  for (const line of [
    '| what | **same** |  |',
    '| what | **same** | a test |',
    `| what | **new** | ${good} |`,
    `| what | same | ${good} |`,
    `| what | **better** | ${good} |`,
    '| what | **same** | `src/nowhere.test.ts` |',
    '| what | **same** | `src/compatibility.test.ts` "no such title" |'.replace('no such', 'not any'),
    `| what | **same** | ${good} ${'"no such title"'.replace('no such', 'not any')} |`,
    `| what | **same** | ${good} | more |`,
  ]) {
    assert.notEqual(of(line), undefined, line)
  }
})
