import { LONGEST_COMMAND } from '@zund/contract/api/endpoints/live.ts'
import { bad } from '../../../../app/fields.ts'
import { shellWords } from '../../../../domain/shell-words.ts'

/**
 * The words to run: a list as it is, or a line split as a shell would. Nothing is expanded and no shell runs it, so
 * `"ls" "-l"` is two words and `$HOME` is five characters.
 */
export function parseCommand(value: string | readonly unknown[]): readonly string[] {
  const words = typeof value === 'string' ? splitLine(value) : checkedWords(value)
  if (words.length === 0) throw bad('command', value, 'It holds no word')
  if (words.some((word) => word.includes('\0'))) throw bad('command', value, 'It must not hold a NUL character')
  const length = words.reduce((sum, word) => sum + word.length + 1, 0)
  if (length > LONGEST_COMMAND) {
    throw bad('command', value, `It has ${length} characters; at most ${LONGEST_COMMAND} are taken`)
  }
  return words
}

function checkedWords(list: readonly unknown[]): string[] {
  return list.map((word) => {
    if (typeof word !== 'string') throw bad('command', word, 'Every word must be a string')
    return word
  })
}

function splitLine(line: string): string[] {
  const words = shellWords(line)
  if (words === undefined) throw bad('command', line, 'A quote is not closed, or it ends with a backslash')
  return words
}
