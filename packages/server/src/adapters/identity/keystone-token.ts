/** What Keystone says of a token. */
import type { Caller } from '../../app/ports/identity.ts'
import { isRecord, recordIn, recordsIn, textIn, type JsonRecord } from '../openstack/json.ts'
import { accessRulesIn, type AccessRule } from './access-rules.ts'

export interface KnownToken {
  readonly caller: Caller
  /** Epoch milliseconds. */
  readonly expiresAtMs: number
  /** null: good for every request. */
  readonly accessRules: readonly AccessRule[] | null
}

/** undefined: it is not of the form that every token has. */
export function knownToken(body: unknown): KnownToken | undefined {
  const token = recordIn(body, 'token')
  const user = recordIn(token, 'user')
  const [userId, userName] = [textIn(user, 'id'), textIn(user, 'name')]
  const expiresAtMs = Date.parse(textIn(token, 'expires_at') ?? '')
  if (userId === undefined || userName === undefined || Number.isNaN(expiresAtMs)) return undefined
  const userDomain = recordIn(user, 'domain')
  return {
    expiresAtMs,
    accessRules: accessRulesIn(recordIn(token, 'application_credential')),
    caller: {
      userId,
      userName,
      userDomainId: textIn(userDomain, 'id') ?? '',
      userDomainName: textIn(userDomain, 'name') ?? '',
      ...projectOf(token),
      roles: recordsIn(token, 'roles').flatMap((role) => textIn(role, 'name') ?? []),
      ...scopeOf(token),
    },
  }
}

function projectOf(
  token: JsonRecord,
): Pick<Caller, 'projectId' | 'projectName' | 'projectDomainId' | 'projectDomainName'> {
  const project = recordIn(token, 'project')
  const domain = recordIn(project, 'domain')
  return {
    projectId: textIn(project, 'id') ?? null,
    projectName: textIn(project, 'name') ?? null,
    projectDomainId: textIn(domain, 'id') ?? null,
    projectDomainName: textIn(domain, 'name') ?? null,
  }
}

function scopeOf(token: JsonRecord): Pick<Caller, 'systemScope' | 'domainId' | 'isAdminProject'> {
  const domainId = textIn(recordIn(token, 'domain'), 'id')
  return {
    ...(isRecord(token.system) && token.system.all === true ? { systemScope: 'all' } : {}),
    ...(domainId === undefined ? {} : { domainId }),
    ...(token.is_admin_project === false ? { isAdminProject: false } : {}),
  }
}
