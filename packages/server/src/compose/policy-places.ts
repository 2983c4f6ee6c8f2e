import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { isAbsolute, join, resolve } from 'node:path'
import type { PolicyPlaces } from '../app/policy/policy-files.ts'
import type { Config } from './config/options.ts'

/**
 * Where the operator's rules are. A name that is no full path is looked for beside the configuration and then where
 * oslo.config looks; while it is in none of these places, it is awaited in the first.
 */
export function policyPlaces(
  { policyFile, policyDirs }: Pick<Config, 'policyFile' | 'policyDirs'>,
  configDirs: readonly string[],
  home: string = homedir(),
): PolicyPlaces {
  const places = [...configDirs, join(home, '.zun'), home, '/etc/zun', '/etc']
  const find = (name: string): string => {
    if (isAbsolute(name)) return name
    const candidates = places.map((place) => resolve(place, name))
    return candidates.find((path) => existsSync(path)) ?? candidates[0] ?? name
  }
  return { file: policyFile === '' ? null : find(policyFile), dirs: policyDirs.map(find) }
}
