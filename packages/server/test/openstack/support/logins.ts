/** Tokens of other kinds than those of the accounts, and what they are made from; taken back when the test ends. */
import type { TestContext } from 'node:test'
import { account, type AccountName } from './accounts.ts'
import type { CloudUser } from './cloud-user.ts'

/** A token by any body of a login. */
export async function tokenBy(identity: object, scope?: object): Promise<string> {
  const answer = await fetch(`${account('admin').authUrl}/auth/tokens`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    signal: AbortSignal.timeout(60_000),
    body: JSON.stringify({ auth: { identity, ...(scope === undefined ? {} : { scope }) } }),
  })
  const token = answer.headers.get('x-subject-token')
  if (token === null) throw new Error(`no token: ${answer.status} ${await answer.text()}`)
  return token
}

export async function tokenOf(name: AccountName, scope: object): Promise<string> {
  const { username, password } = account(name)
  const user = { name: username, password, domain: { id: 'default' } }
  return await tokenBy({ methods: ['password'], password: { user } }, scope)
}

export async function revoke(user: CloudUser, token: string): Promise<void> {
  const answer = await fetch(`${user.account.authUrl}/auth/tokens`, {
    method: 'DELETE',
    headers: { 'x-auth-token': user.token, 'x-subject-token': token },
  })
  if (answer.status !== 204) throw new Error(`not revoked: ${answer.status}`)
}

/** A token by a credential of the user's own; with rules it is good for those requests only. */
export async function credentialToken(t: TestContext, user: CloudUser, rules?: readonly object[]): Promise<string> {
  const secret = 'test-only'
  const path = `/users/${user.userId}/application_credentials`
  const { application_credential: made } = await user.post<{ application_credential: { id: string } }>(
    'identity',
    path,
    {
      application_credential: {
        name: `zund-test-${t.name.slice(0, 60)}-${rules === undefined ? 'free' : 'ruled'}`,
        secret,
        ...(rules === undefined ? {} : { access_rules: rules }),
      },
    },
  )
  t.after(async () => {
    await user.delete('identity', `${path}/${made.id}`)
    // They stay behind when the credential goes.
    const left = `/users/${user.userId}/access_rules`
    const { access_rules: all } = await user.get<{ access_rules: { id: string }[] }>('identity', left)
    for (const { id } of all) await user.call('identity', 'DELETE', `${left}/${id}`)
  })
  return await tokenBy({
    methods: ['application_credential'],
    application_credential: { id: made.id, secret },
  })
}

export interface Stranger {
  readonly domainId: string
  readonly projectId: string
  readonly userId: string
  readonly token: string
}

/** A user of a domain of his own, with this role in a project of it. */
export async function stranger(t: TestContext, admin: CloudUser, role: string): Promise<Stranger> {
  const { domain } = await admin.post<{ domain: { id: string } }>('identity', '/domains', {
    domain: { name: `zund-test-${role}` },
  })
  t.after(async () => {
    await admin.call('identity', 'PATCH', `/domains/${domain.id}`, { domain: { enabled: false } })
    await admin.delete('identity', `/domains/${domain.id}`)
  })
  const { project } = await admin.post<{ project: { id: string } }>('identity', '/projects', {
    project: { name: 'demo', domain_id: domain.id },
  })
  const { user } = await admin.post<{ user: { id: string } }>('identity', '/users', {
    user: { name: 'demo', domain_id: domain.id, password: 'test-only' },
  })
  const { roles } = await admin.get<{ roles: { id: string }[] }>('identity', `/roles?name=${role}`)
  await admin.put('identity', `/projects/${project.id}/users/${user.id}/roles/${roles[0]?.id}`, {})
  const token = await tokenBy(
    { methods: ['password'], password: { user: { id: user.id, password: 'test-only' } } },
    { project: { id: project.id } },
  )
  return { domainId: domain.id, projectId: project.id, userId: user.id, token }
}
