/** Logging in at an OpenStack Identity service, version 3. */
import { ApiError, ConnectionError } from './errors.ts'

export interface Session {
  readonly token: string
  /** Root of the Containers service, without `/v1` and without a trailing slash. */
  readonly endpoint: string
  /** null: not known, because the token came from elsewhere, or because it is for no project. */
  readonly projectId: string | null
}

export interface SessionOptions {
  readonly expired?: Session
  readonly signal?: AbortSignal | undefined
  /** Makes the requests; absent: that of the platform. */
  readonly fetch?: typeof fetch | undefined
}

export interface Auth {
  /** The present session; a new one if there is none, or if `expired` is the present one. */
  session(o: SessionOptions): Promise<Session>
  /** False when a refused token is the end: then a request that was refused is not tried again. */
  readonly canRenew: boolean
}

/** With a token from elsewhere. `endpoint` as in the catalogue, with `/v1` or without. */
export function withToken(token: string, endpoint: string): Auth {
  const session = { token, endpoint: rootOf(endpoint), projectId: null }
  return { canRenew: false, session: () => Promise.resolve(session) }
}

interface Where {
  /** Of the Identity service, with `/v3` or without. */
  readonly authUrl: string
  readonly region?: string
  readonly interface?: 'public' | 'internal' | 'admin'
  /** Instead of the one in the catalogue. */
  readonly endpoint?: string
}

export interface PasswordLogin extends Where {
  readonly username: string
  readonly password: string
  readonly userDomain?: string
  readonly project: string
  readonly projectDomain?: string
}

/** Names, not ids; domains are `Default` unless given. */
export function passwordLogin(given: PasswordLogin): Auth {
  const { username, password, project, userDomain = 'Default', projectDomain = 'Default' } = given
  return new Login(given, {
    identity: { methods: ['password'], password: { user: { name: username, password, domain: { name: userDomain } } } },
    scope: { project: { name: project, domain: { name: projectDomain } } },
  })
}

export interface ApplicationCredentialLogin extends Where {
  readonly id: string
  readonly secret: string
}

export function applicationCredential(given: ApplicationCredentialLogin): Auth {
  const { id, secret } = given
  return new Login(given, {
    identity: { methods: ['application_credential'], application_credential: { id, secret } },
  })
}

export interface TokenLogin extends Where {
  /** Of any project of the user, or of none. */
  readonly token: string
  readonly project: string
  readonly projectDomain?: string
}

/** A token of one project for that of another. */
export function tokenLogin(given: TokenLogin): Auth {
  const { token, project, projectDomain = 'Default' } = given
  return new Login(given, {
    identity: { methods: ['token'], token: { id: token } },
    scope: { project: { name: project, domain: { name: projectDomain } } },
  })
}

class Login implements Auth {
  readonly canRenew = true
  readonly #where: Where
  readonly #auth: object
  #present: Promise<Session> | undefined

  constructor(where: Where, auth: object) {
    this.#where = where
    this.#auth = auth
  }

  async session({ expired, signal, fetch: ask = fetch }: SessionOptions): Promise<Session> {
    // Many requests may find at once that a token is over; one of them logs in for all.
    if (expired !== undefined && (await this.#present?.catch(() => undefined)) === expired) this.#present = undefined
    const present = (this.#present ??= this.#login(ask, signal))
    try {
      return await present
    } catch (error) {
      if (this.#present === present) this.#present = undefined
      throw error
    }
  }

  async #login(ask: typeof fetch, signal: AbortSignal | undefined): Promise<Session> {
    const url = `${this.#where.authUrl.replace(/\/+$/, '').replace(/\/v3$/, '')}/v3/auth/tokens`
    const answer = await reached(url, signal, () =>
      ask(url, {
        method: 'POST',
        headers: { 'content-type': 'application/json', accept: 'application/json' },
        body: JSON.stringify({ auth: this.#auth }),
        ...(signal === undefined ? {} : { signal }),
      }),
    )
    const text = await answer.text()
    const requestId = answer.headers.get('x-openstack-request-id')
    if (!answer.ok) throw new ApiError('POST /v3/auth/tokens', { status: answer.status, text, requestId })
    const token = answer.headers.get('x-subject-token')
    if (token === null) throw new ConnectionError(`${url} gave no token`)
    const body = JSON.parse(text) as TokenBody
    const endpoint = rootOf(this.#where.endpoint ?? this.#inCatalogue(body))
    return { token, endpoint, projectId: body.token?.project?.id ?? null }
  }

  #inCatalogue({ token }: TokenBody): string {
    const { region, interface: wanted = 'public' } = this.#where
    for (const { type, endpoints } of token?.catalog ?? []) {
      if (!SERVICE_TYPES.includes(type)) continue
      const found = endpoints.find(
        (one) =>
          one.interface === wanted && (region === undefined || one.region === region || one.region_id === region),
      )
      if (found !== undefined) return found.url
    }
    throw new ConnectionError(`the catalogue has no ${wanted} endpoint of the Containers service`)
  }
}

/** The official one, and the alias under which services register. */
const SERVICE_TYPES: readonly string[] = ['container', 'application-container']

interface TokenBody {
  readonly token?: { readonly catalog?: readonly CatalogueEntry[]; readonly project?: { readonly id: string } }
}

interface CatalogueEntry {
  readonly type: string
  readonly endpoints: readonly {
    readonly interface: string
    readonly url: string
    readonly region?: string | null
    readonly region_id?: string | null
  }[]
}

function rootOf(endpoint: string): string {
  return endpoint.replace(/\/+$/, '').replace(/\/v1$/, '')
}

/** A failure to reach somebody, with his address; an abort stays what it is. */
export async function reached(
  url: string,
  signal: AbortSignal | undefined,
  ask: () => Promise<Response>,
): Promise<Response> {
  try {
    return await ask()
  } catch (error) {
    if (signal?.aborted === true) throw error
    throw new ConnectionError(`${new URL(url).origin} cannot be reached`, { cause: error })
  }
}
