/** Names that options had once, and still have in files that nobody has touched since. */
import { LOGINS } from './check-logins.ts'
import type { Finding } from './findings.ts'
import { optionKey, type IniValues } from './ini.ts'

interface Renamed {
  readonly group: string
  readonly before: string
  readonly now: string
}

export const FORMER_NAMES_OF_LOGINS = [
  ['auth_plugin', 'auth_type'],
  ['user_name', 'username'],
  ['tenant_name', 'project_name'],
  ['tenant_id', 'project_id'],
] as const

const RENAMED: readonly Renamed[] = [
  { group: 'keystone_authtoken', before: 'auth_uri', now: 'www_authenticate_uri' },
  ...Object.values(LOGINS).flatMap((group) => FORMER_NAMES_OF_LOGINS.map(([before, now]) => ({ group, before, now }))),
]

/** Puts what is written under an older name under the one of today, which goes first where both are written. */
export function takeFormerNames(written: IniValues): Finding[] {
  return RENAMED.flatMap(({ group, before, now }): Finding[] => {
    const [old, key] = [optionKey(group, before), optionKey(group, now)]
    const values = written.get(old)
    if (values === undefined) return []
    written.delete(old)
    if (!written.has(key)) written.set(key, values)
    return [{ level: 'warn', text: `option ${before} in [${group}] is called ${now} now` }]
  })
}
