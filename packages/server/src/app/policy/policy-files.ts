/** The operator's rules: one file, and the files of directories on top of it. */
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { isMap, isScalar, parseDocument } from 'yaml'
import { messageOf } from '../../domain/errors.ts'

export interface PolicyPlaces {
  /** null: none. */
  readonly file: string | null
  /** Their regular files, by name, win over the file and over each other; those that begin with a dot do not count. */
  readonly dirs: readonly string[]
}

/** A file cannot be used. One line that names it. */
export class PolicyFileError extends Error {}

export interface PolicyFiles {
  /** Changes whenever one of the files does: it is written, put in another's place, comes or goes. */
  readonly stamp: string
  readonly hasMain: boolean
  readonly paths: readonly string[]
}

export function findPolicyFiles({ file, dirs }: PolicyPlaces): PolicyFiles {
  const main = file === null ? undefined : stampOf(file)
  const paths = file !== null && main !== undefined ? [file] : []
  const stamps = main === undefined ? [] : [main]
  for (const path of dirs.flatMap(filesIn)) {
    const stamp = stampOf(path)
    if (stamp === undefined) continue
    paths.push(path)
    stamps.push(stamp)
  }
  return { stamp: stamps.join('\n'), hasMain: main !== undefined, paths }
}

/** Rules by name; the last file that has one wins. PolicyFileError when any of the files cannot be used. */
export function readPolicyFiles({ paths }: PolicyFiles): Map<string, unknown> {
  const rules = new Map<string, unknown>()
  for (const path of paths) {
    try {
      for (const [name, rule] of parsePolicy(readFileSync(path, 'utf8'))) rules.set(name, rule)
    } catch (error) {
      throw new PolicyFileError(`policy file ${path}: ${messageOf(error)}`)
    }
  }
  return rules
}

/** YAML, of which the older JSON form is a part. */
export function parsePolicy(text: string): Map<string, unknown> {
  const json = text.trimStart().startsWith('{') ? tryJson(text) : undefined
  if (json !== undefined) return new Map(Object.entries(json))
  const document = parseDocument(text)
  const [trouble] = [...document.errors, ...document.warnings]
  if (trouble !== undefined) throw new Error(trouble.message.split('\n')[0]?.replace(/:$/, '') ?? '')
  if (document.contents === null || (isScalar(document.contents) && document.contents.value === null)) return new Map()
  if (!isMap(document.contents)) throw new Error('it is not a mapping of names to rules')
  for (const { key, value } of document.contents.items) {
    // YAML takes it for a tag of an empty text, and the empty rule allows everything.
    if (isScalar(value) && value.tag === '!' && value.source === '') {
      throw new Error(`rule ${String(key)}: the check ! must be written in quotes, "!"`)
    }
  }
  const entries = document.toJS({ mapAsMap: true }) as Map<unknown, unknown>
  return new Map([...entries].map(([name, rule]) => [String(name), rule]))
}

/** undefined: not JSON, and perhaps YAML. */
function tryJson(text: string): Record<string, unknown> | undefined {
  try {
    return JSON.parse(text) as Record<string, unknown>
  } catch {
    return undefined
  }
}

/** undefined: there is no such file. */
function stampOf(path: string): string | undefined {
  try {
    // Without the time of any change: a second link to it, as some backups make, would count as one.
    const { mtimeNs, size, ino, mode, uid, gid } = statSync(path, { bigint: true })
    return `${path} ${mtimeNs} ${size} ${ino} ${mode} ${uid} ${gid}`
  } catch (error) {
    return isMissing(error) ? undefined : `${path} ${messageOf(error)}`
  }
}

function filesIn(directory: string): string[] {
  try {
    return readdirSync(directory)
      .filter((name) => !name.startsWith('.') && isFile(join(directory, name)))
      .toSorted()
      .map((name) => join(directory, name))
  } catch (error) {
    // One that cannot be listed is left to the reading, which says so.
    return isMissing(error) ? [] : [directory]
  }
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() === true
}

function isMissing(error: unknown): boolean {
  return ['ENOENT', 'ENOTDIR'].includes(String((error as { code?: unknown }).code))
}
