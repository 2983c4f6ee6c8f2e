/** Who the users are, where there is no identity service of a cloud. */
import { randomUUID } from 'node:crypto'
import { BuiltInIdentity } from '../adapters/identity/built-in-identity.ts'
import type { SqlDatabase } from '../adapters/sql/database.ts'
import { baseUrl } from './base-url.ts'
import { CLOUD_USERS } from './clouds-file.ts'
import type { Config } from './config/options.ts'

/** With the users of clouds.yaml; `passwords` by user name. */
export async function composeIdentity(
  config: Config,
  database: SqlDatabase,
  passwords: ReadonlyMap<string, string>,
): Promise<BuiltInIdentity> {
  const identity = new BuiltInIdentity({
    database,
    authenticateUri: `${baseUrl(config)}/identity`,
    tokenTtlMs: config.tokenLifetime * 1000,
  })
  for (const { user, project, role } of CLOUD_USERS) {
    const { id } = await identity.ensureUser(user, passwords.get(user) ?? randomUUID())
    await identity.assign(id, (await identity.ensureProject(project)).id, role)
  }
  return identity
}
