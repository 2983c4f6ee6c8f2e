import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { isAbsolute, join, resolve } from 'node:path'
import type { PolicyPlaces } from '../app/policy/policy-files.ts'
import type { Config } from './config/options.ts'
import { OLD_POLICY_FILE, POLICY_FILE } from './single-machine-policy.ts'

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
  const find = (...names: readonly [string, ...string[]]): string => {
    const candidates = names.flatMap((name) =>
      isAbsolute(name) ? [name] : places.map((place) => resolve(place, name)),
    )
    return candidates.find((path) => existsSync(path)) ?? candidates[0] ?? names[0]
  }
  // Older deployments have their rules as JSON and say so nowhere.
  const file = policyFile === POLICY_FILE ? find(POLICY_FILE, OLD_POLICY_FILE) : find(policyFile)
  return { file: policyFile === '' ? null : file, dirs: policyDirs.map((name) => find(name)) }
}
