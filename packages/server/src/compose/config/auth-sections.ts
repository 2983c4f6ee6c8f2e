/** `auth_section`: a login that is written in another group, as keystoneauth has it. */
import { LOGINS } from './check-logins.ts'
import type { Finding } from './findings.ts'
import { FORMER_NAMES_OF_LOGINS } from './former-names.ts'
import { optionKey, type IniValues } from './ini.ts'
import type { Option } from './kinds.ts'
import { OPTIONS } from './options.ts'

const GROUPS: readonly string[] = Object.values(LOGINS)
/** Of the connection and not of who logs in: they stay those of the group itself. */
const OF_CONNECTION = new Set(['cafile', 'certfile', 'keyfile', 'insecure'])
/** Names of options of a login; older ones become those of today afterwards. */
const OF_LOGIN = new Set([
  ...Object.values<Option<unknown>>(OPTIONS)
    .filter(({ group, name }) => group === LOGINS.serviceLogin && !OF_CONNECTION.has(name))
    .map(({ name }) => name),
  ...FORMER_NAMES_OF_LOGINS.map(([before]) => before),
])

/** Puts the login in the place of the name of its group; what the group itself says of a login does not count then. */
export function takeAuthSections(written: IniValues): Finding[] {
  const sections = new Map<string, Map<string, string[]>>()
  const findings: Finding[] = []
  const from = GROUPS.flatMap((group): [group: string, section: string][] => {
    const section = written.get(optionKey(group, 'auth_section'))?.at(-1)
    written.delete(optionKey(group, 'auth_section'))
    return section === undefined || section === '' || section === group ? [] : [[group, section]]
  })
  for (const [, section] of from) sections.set(section, loginIn(written, section))
  for (const [group, section] of from) {
    for (const name of loginIn(written, group).keys()) {
      written.delete(optionKey(group, name))
      findings.push({
        level: 'warn',
        text: `option ${name} in [${group}] has no effect: the login is that of [${section}]`,
      })
    }
    for (const [name, values] of sections.get(section) ?? []) written.set(optionKey(group, name), values)
  }
  for (const [section, login] of sections) {
    if (GROUPS.includes(section)) continue
    for (const name of login.keys()) written.delete(optionKey(section, name))
  }
  return findings
}

function loginIn(written: IniValues, group: string): Map<string, string[]> {
  return new Map(
    [...written].flatMap(([key, values]): [string, string[]][] => {
      const name = key.slice(group.length + 1)
      return key === optionKey(group, name) && OF_LOGIN.has(name) ? [[name, values]] : []
    }),
  )
}
