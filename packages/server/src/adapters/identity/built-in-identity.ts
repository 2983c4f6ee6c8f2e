import { createHash, randomBytes } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import { sql } from 'kysely'
import type { Caller, Identity } from '../../app/ports/identity.ts'
import type { SqlDatabase } from '../sql/database.ts'
import { NOW_MS } from '../sql/dialect/sqlite.ts'
import { checkPassword, hashPassword, wasteTime } from './passwords.ts'

const now = sql<number>`${sql.raw(NOW_MS)}`
const DOMAIN = { id: 'default', name: 'Default' }

/** A revoked token is refused by other processes of the same database after at most this time; here at once. */
const CACHE_MS = 1_000

export interface TokenInfo {
  readonly caller: Caller
  readonly issuedAtMs: number
  readonly expiresAtMs: number
}

export interface UserRecord {
  readonly id: string
  readonly name: string
}

/** How a project or user is named in a login. */
export interface NameOrId {
  readonly id?: string | undefined
  readonly name?: string | undefined
}

/** Users, projects and tokens of a machine without Keystone. Names are of one domain, `Default`. */
export class BuiltInIdentity implements Identity {
  readonly authenticateUri: string
  readonly #db: SqlDatabase
  readonly #tokenTtlMs: number
  readonly #cache = new LRUCache<string, TokenInfo>({ max: 10_000, ttl: CACHE_MS })

  constructor(options: { database: SqlDatabase; authenticateUri: string; tokenTtlMs: number }) {
    this.#db = options.database
    this.authenticateUri = options.authenticateUri
    this.#tokenTtlMs = options.tokenTtlMs
  }

  async validate(token: string): Promise<Caller | undefined> {
    return (await this.tokenInfo(token))?.caller
  }

  async tokenInfo(token: string): Promise<TokenInfo | undefined> {
    if (token.length > 255) return undefined
    const hash = digest(token)
    const cached = this.#cache.get(hash)
    if (cached !== undefined && cached.expiresAtMs > Date.now()) return cached
    const row = await this.#db.read
      .selectFrom('identity_token')
      .selectAll()
      .where('token_hash', '=', hash)
      .where('expires_at', '>', now)
      .executeTakeFirst()
    if (row === undefined) return undefined
    const info = {
      caller: JSON.parse(row.caller) as Caller,
      issuedAtMs: row.issued_at,
      expiresAtMs: row.expires_at,
    }
    this.#cache.set(hash, info)
    return info
  }

  /** undefined: the name or the password is wrong; which of them is not said. */
  async login(user: NameOrId, password: string): Promise<UserRecord | undefined> {
    const select = this.#db.read.selectFrom('identity_user').selectAll()
    const row =
      user.id === undefined
        ? await select.where('name', '=', user.name ?? '').executeTakeFirst()
        : await select.where('id', '=', user.id).executeTakeFirst()
    if (row === undefined) {
      await wasteTime(password)
      return undefined
    }
    return (await checkPassword(password, row.password_hash)) ? { id: row.id, name: row.name } : undefined
  }

  /** With an application credential: its user and the project it is for. */
  async loginWithCredential(
    credential: NameOrId & { readonly user?: NameOrId | undefined },
    secret: string,
  ): Promise<{ user: UserRecord; projectId: string } | undefined> {
    let select = this.#db.read
      .selectFrom('identity_application_credential as c')
      .innerJoin('identity_user as u', 'u.id', 'c.user_id')
      .select(['c.secret_hash', 'c.project_id', 'u.id', 'u.name'])
    if (credential.id !== undefined) select = select.where('c.id', '=', credential.id)
    else {
      select = select.where('c.name', '=', credential.name ?? '')
      select =
        credential.user?.id === undefined
          ? select.where('u.name', '=', credential.user?.name ?? '')
          : select.where('u.id', '=', credential.user.id)
    }
    const row = await select.executeTakeFirst()
    if (row === undefined) {
      await wasteTime(secret)
      return undefined
    }
    if (!(await checkPassword(secret, row.secret_hash))) return undefined
    return { user: { id: row.id, name: row.name }, projectId: row.project_id }
  }

  async findProject(project: NameOrId): Promise<{ id: string; name: string } | undefined> {
    const select = this.#db.read.selectFrom('identity_project').selectAll()
    return project.id === undefined
      ? await select.where('name', '=', project.name ?? '').executeTakeFirst()
      : await select.where('id', '=', project.id).executeTakeFirst()
  }

  async projectsOf(userId: string): Promise<{ id: string; name: string }[]> {
    return await this.#db.read
      .selectFrom('identity_project')
      .selectAll()
      .where('id', 'in', (eb) =>
        eb.selectFrom('identity_assignment').select('project_id').where('user_id', '=', userId),
      )
      .orderBy('name')
      .execute()
  }

  async rolesOf(userId: string, projectId: string): Promise<string[]> {
    const rows = await this.#db.read
      .selectFrom('identity_assignment')
      .select('role')
      .where('user_id', '=', userId)
      .where('project_id', '=', projectId)
      .orderBy('role')
      .execute()
    return rows.map((row) => row.role)
  }

  /** `project` null gives an unscoped token, which has no roles. */
  async issue(
    user: UserRecord,
    project: { id: string; name: string } | null,
    roles: readonly string[],
  ): Promise<{ token: string; info: TokenInfo }> {
    const token = `zund${randomBytes(32).toString('base64url')}`
    const caller: Caller = {
      userId: user.id,
      userName: user.name,
      userDomainId: DOMAIN.id,
      userDomainName: DOMAIN.name,
      projectId: project?.id ?? null,
      projectName: project?.name ?? null,
      projectDomainId: project === null ? null : DOMAIN.id,
      projectDomainName: project === null ? null : DOMAIN.name,
      roles,
    }
    await this.#db.write(async (trx) => {
      await trx.deleteFrom('identity_token').where('expires_at', '<', now).execute()
      await trx
        .insertInto('identity_token')
        .values({
          token_hash: digest(token),
          caller: JSON.stringify(caller),
          issued_at: now,
          expires_at: sql<number>`${now} + ${this.#tokenTtlMs}`,
        })
        .execute()
    })
    const info = await this.tokenInfo(token)
    if (info === undefined) throw new Error('a token was not stored')
    return { token, info }
  }

  async revoke(token: string): Promise<void> {
    const hash = digest(token)
    await this.#db.write((trx) => trx.deleteFrom('identity_token').where('token_hash', '=', hash).execute())
    this.#cache.delete(hash)
  }

  // --- filling it -------------------------------------------------------------------------------------------------

  async ensureProject(name: string): Promise<{ id: string; name: string }> {
    const there = await this.findProject({ name })
    if (there !== undefined) return there
    const project = { id: randomBytes(16).toString('hex'), name }
    await this.#db.write((trx) => trx.insertInto('identity_project').values(project).execute())
    return project
  }

  /** Sets the password when it differs from what is stored. */
  async ensureUser(name: string, password: string): Promise<UserRecord> {
    const there = await this.#db.read
      .selectFrom('identity_user')
      .selectAll()
      .where('name', '=', name)
      .executeTakeFirst()
    if (there !== undefined && (await checkPassword(password, there.password_hash))) return { id: there.id, name }
    const id = there?.id ?? randomBytes(16).toString('hex')
    const password_hash = await hashPassword(password)
    await this.#db.write(async (trx) => {
      await trx.deleteFrom('identity_user').where('id', '=', id).execute()
      await trx.insertInto('identity_user').values({ id, name, password_hash }).execute()
    })
    return { id, name }
  }

  async assign(userId: string, projectId: string, role: string): Promise<void> {
    if ((await this.rolesOf(userId, projectId)).includes(role)) return
    await this.#db.write((trx) =>
      trx.insertInto('identity_assignment').values({ user_id: userId, project_id: projectId, role }).execute(),
    )
  }

  async createApplicationCredential(
    name: string,
    userId: string,
    projectId: string,
  ): Promise<{ id: string; secret: string }> {
    const id = randomBytes(16).toString('hex')
    const secret = randomBytes(32).toString('base64url')
    const secret_hash = await hashPassword(secret)
    await this.#db.write((trx) =>
      trx
        .insertInto('identity_application_credential')
        .values({ id, name, user_id: userId, project_id: projectId, secret_hash })
        .execute(),
    )
    return { id, secret }
  }
}

function digest(token: string): string {
  return createHash('sha256').update(token).digest('hex')
}
