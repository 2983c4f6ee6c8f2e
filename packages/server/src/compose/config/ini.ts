/** Values as written, by `group.name`; a repeated key keeps all of its values, in order. */
export type IniValues = Map<string, string[]>

/**
 * Reads the dialect of oslo.config: `[group]`, `key = value` or `key: value`, `#` and `;` comment lines, continuation
 * lines that begin with white space. `-` and `_` in names are the same. Throws an Error that names the line.
 */
export function parseIni(text: string): IniValues {
  const values: IniValues = new Map()
  let group = 'DEFAULT'
  let open: string[] | undefined
  for (const [i, line] of text.split(/\r?\n/).entries()) {
    if (/^\s*([#;].*)?$/.test(line)) {
      if (line.trim() === '') open = undefined
      continue
    }
    if (/^\s/.test(line) && open !== undefined) {
      open.push(`${open.pop() ?? ''}\n${line.trim()}`)
      continue
    }
    const header = /^\s*\[([^\]]+)\]\s*$/.exec(line)
    if (header !== null) {
      group = header[1]?.trim() ?? ''
      open = undefined
      continue
    }
    const pair = /^\s*([^=:\s][^=:]*?)\s*[=:]\s*(.*?)\s*$/.exec(line)
    if (pair === null) throw new Error(`line ${i + 1} is neither a [group] nor key = value: ${line.trim()}`)
    open = add(values, optionKey(group, pair[1] ?? ''), unquoted(pair[2] ?? ''))
  }
  return values
}

export function optionKey(group: string, name: string): string {
  return `${group}.${name.trim().replaceAll('-', '_')}`
}

function add(values: IniValues, key: string, value: string): string[] {
  const list = values.get(key) ?? []
  list.push(value)
  values.set(key, list)
  return list
}

function unquoted(value: string): string {
  const match = /^"(.*)"$|^'(.*)'$/s.exec(value)
  return match === null ? value : (match[1] ?? match[2] ?? '')
}
