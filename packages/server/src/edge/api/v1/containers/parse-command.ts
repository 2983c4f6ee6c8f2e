import { shellWords } from '../../../../domain/shell-words.ts'
import { fieldError, present, requiredText } from '../../arguments.ts'
import type { Call } from '../../route.ts'

/** Linux takes no single word longer than this; a command of many words is kept to it as a whole. */
const LONGEST_COMMAND = 128 * 1024

/**
 * The words to run: a list as it is, or a line split as a shell would. Nothing is expanded and no shell runs it, so
 * `"ls" "-l"` is two words and `$HOME` is five characters.
 */
export function parseCommand(args: Call['args']): readonly string[] {
  const value = present(args['command'])
  const words = Array.isArray(value) ? checkedWords(value) : splitLine(args)
  if (words.length === 0) throw fieldError('command', value, 'It holds no word')
  if (words.some((word) => word.includes('\0'))) throw fieldError('command', value, 'It must not hold a NUL character')
  const length = words.reduce((sum, word) => sum + word.length + 1, 0)
  if (length > LONGEST_COMMAND) {
    throw fieldError('command', value, `It has ${length} characters; at most ${LONGEST_COMMAND} are taken`)
  }
  return words
}

function checkedWords(list: readonly unknown[]): string[] {
  return list.map((word) => {
    if (typeof word !== 'string') throw fieldError('command', word, 'Every word must be a string')
    return word
  })
}

function splitLine(args: Call['args']): string[] {
  const line = requiredText(args, 'command', { max: 2 * LONGEST_COMMAND })
  const words = shellWords(line)
  if (words === undefined) throw fieldError('command', line, 'A quote is not closed, or it ends with a backslash')
  return words
}
