import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { BuiltInIdentity } from '../../src/adapters/identity/built-in-identity.ts'
import { SqlDatabase } from '../../src/adapters/sql/database.ts'
import { ApiClient } from './api-client.ts'
import type { ZundProcess } from './zund-process.ts'

/** Logs in as a member of a project of that name, which is made with its user in the running service. */
export async function memberOf(zund: ZundProcess, project: string): Promise<ApiClient> {
  const username = `member of ${project}`
  const password = randomBytes(12).toString('hex')
  const database = new SqlDatabase(join(zund.stateDir, 'zund.sqlite'))
  try {
    const identity = new BuiltInIdentity({ database, authenticateUri: '', tokenTtlMs: 1 })
    const user = await identity.ensureUser(username, password)
    await identity.assign(user.id, (await identity.ensureProject(project)).id, 'member')
  } finally {
    await database.close()
  }
  return await ApiClient.login(zund.baseUrl, { username, password, project })
}
