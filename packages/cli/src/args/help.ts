import { COMMON, type Command, type Option } from './command.ts'

const WIDTH = 100
const COLUMN = 28

export function helpOf(command: Command): string {
  const usage = ['Usage: zund', command.name, '[OPTIONS]', command.operands].filter((part) => part !== '').join(' ')
  const also = command.aliases === undefined ? [] : [`Also: ${command.aliases.join(', ')}`, '']
  const more = command.more === undefined ? [] : ['', command.more.trim()]
  const options = Object.entries({ ...command.options, ...COMMON }).flatMap(([name, option]) => lines(name, option))
  return [usage, '', `${command.about}.`, '', ...also, ...options, ...more].join('\n')
}

function lines(name: string, option: Option): string[] {
  const short = option.short === undefined ? '    ' : `-${option.short}, `
  const left = `  ${short}--${name}${option.value === undefined ? '' : ` ${option.value}`}`
  const choices = option.choices === undefined ? '' : ` (${option.choices.join(', ')})`
  const many = option.many === true ? '; may be given several times' : ''
  const right = wrapped(`${option.about}${choices}${many}`, WIDTH - COLUMN)
  const first = left.length < COLUMN - 1 ? [left.padEnd(COLUMN) + (right.shift() ?? '')] : [left]
  return [...first, ...right.map((line) => ' '.repeat(COLUMN) + line)]
}

function wrapped(text: string, width: number): string[] {
  const made: string[] = []
  let line = ''
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + word.length >= width) {
      made.push(line)
      line = word
    } else line = line === '' ? word : `${line} ${word}`
  }
  return [...made, line]
}
