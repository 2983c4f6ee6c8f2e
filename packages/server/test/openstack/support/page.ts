/** What a page of docs/ gives its readers to type, or to write into files. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

const DOCS = join(import.meta.dirname, '../../../../../docs')

/** What is indented below a heading that begins so, block by block. Blocks with only blank lines between them are one. */
export function blocksOf(page: string, heading: string): string[] {
  const text = readFileSync(join(DOCS, page), 'utf8')
  const section = text.split(/^## /m).find((one) => one.startsWith(heading))
  if (section === undefined) throw new Error(`${page} has no ${heading}`)
  return [...section.matchAll(/(?:^ {4}.*\n(?:\n(?= {4}))*)+/gm)].map(([block]) => block.replaceAll(/^ {4}/gm, ''))
}

/** The only one that the expression fits. */
export function blockOf(page: string, heading: string, about: RegExp): string {
  const found = blocksOf(page, heading).filter((block) => about.test(block))
  if (found.length !== 1) throw new Error(`${page}, ${heading}: ${found.length} blocks have ${String(about)}`)
  return found[0] ?? ''
}

/** Words that a reader replaces by his own. */
export function reworded(text: string, words: Readonly<Record<string, string>>): string {
  let all = text
  for (const [word, own] of Object.entries(words)) all = all.replaceAll(word, own)
  return all
}
