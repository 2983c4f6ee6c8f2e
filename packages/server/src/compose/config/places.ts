/** Which files make the configuration. */
import { existsSync, readdirSync, statSync } from 'node:fs'
import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import { messageOf } from '../../domain/errors.ts'
import { ConfigError } from './config-error.ts'

export interface ConfigArguments {
  /** --config-file, as often as it was given. */
  readonly files: readonly string[]
  /** --config-dir, likewise. */
  readonly dirs: readonly string[]
}

const FILE = 'zun.conf'

/**
 * The files in the order in which they are read; later ones win. What the command line does not name is searched for, the
 * file and the directory each by itself: in the state directory, then where oslo.config looks.
 */
export function configFiles(given: ConfigArguments, stateDir: string, home: string = homedir()): string[] {
  const places = [stateDir, join(home, '.zun'), home, '/etc/zun', '/etc']
  const found = (name: string): string[] => {
    const path = places.map((place) => join(place, name)).find((candidate) => existsSync(candidate))
    return path === undefined ? [] : [path]
  }
  const files = given.files.length > 0 ? given.files.map((file) => resolve(file)) : found(FILE)
  const dirs = given.dirs.length > 0 ? given.dirs.map((dir) => resolve(dir)) : found(`${FILE}.d`)
  return [...files, ...dirs.flatMap(filesIn)]
}

function filesIn(directory: string): string[] {
  try {
    return readdirSync(directory)
      .filter((name) => name.endsWith('.conf') && !name.startsWith('.'))
      .toSorted()
      .map((name) => join(directory, name))
      .filter((path) => statSync(path).isFile())
  } catch (error) {
    throw new ConfigError(`the directory of configuration ${directory} cannot be read: ${messageOf(error)}`)
  }
}
