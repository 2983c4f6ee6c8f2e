/** Files of configuration as oslo.config reads them. */
import { writeFileSync } from 'node:fs'

export type Groups = Readonly<Record<string, Readonly<Record<string, string | number | boolean>>>>

export function writeIni(path: string, groups: Groups): string {
  const text = Object.entries(groups).map(([group, options]) => {
    const lines = Object.entries(options).map(([name, value]) => `${name} = ${value}`)
    return [`[${group}]`, ...lines, ''].join('\n')
  })
  writeFileSync(path, text.join('\n'))
  return path
}
