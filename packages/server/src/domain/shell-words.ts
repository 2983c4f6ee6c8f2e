/**
 * Splits a command line into words as a POSIX shell does: blanks separate, quotes and backslashes keep together.
 * Nothing is expanded and nothing is run. undefined when a quote is not closed.
 */
export function shellWords(line: string): string[] | undefined {
  const words: string[] = []
  let word: string | undefined
  let quote: '"' | "'" | undefined
  for (let i = 0; i < line.length; i += 1) {
    const c = line[i] ?? ''
    if (quote === "'") {
      if (c === "'") quote = undefined
      else word += c
    } else if (quote === '"') {
      const next = line[i + 1]
      if (c === '"') quote = undefined
      else if (c === '\\' && (next === '"' || next === '\\' || next === '$' || next === '`')) {
        word += next
        i += 1
      } else word += c
    } else if (c === '"' || c === "'") {
      quote = c
      word ??= ''
    } else if (c === '\\') {
      if (i + 1 >= line.length) return undefined
      word = (word ?? '') + (line[i + 1] ?? '')
      i += 1
    } else if (/\s/.test(c)) {
      if (word !== undefined) words.push(word)
      word = undefined
    } else word = (word ?? '') + c
  }
  if (quote !== undefined) return undefined
  if (word !== undefined) words.push(word)
  return words
}
