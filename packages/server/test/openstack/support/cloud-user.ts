/** Somebody who talks to the services of the cloud itself, past the service under test. */
import { account, type Account, type AccountName } from './accounts.ts'

const TIMEOUT_MS = 60_000

export type ServiceType = 'identity' | 'image' | 'network' | 'volumev3' | 'placement' | 'orchestration' | 'container'

interface CatalogEntry {
  readonly type: string
  readonly endpoints: readonly { readonly interface: string; readonly region: string; readonly url: string }[]
}

export interface Answer<T> {
  readonly status: number
  readonly body: T
}

export class CloudUser {
  readonly account: Account
  readonly token: string
  readonly userId: string
  readonly projectId: string
  readonly roles: readonly string[]
  readonly #catalog: readonly CatalogEntry[]

  private constructor(own: Account, token: string, about: TokenBody['token']) {
    this.account = own
    this.token = token
    this.userId = about.user.id
    this.projectId = about.project.id
    this.roles = about.roles.map(({ name }) => name)
    this.#catalog = about.catalog
  }

  static async login(name: AccountName): Promise<CloudUser> {
    const own = account(name)
    const domain = { id: 'default' }
    const { username, password, project } = own
    const answer = await fetch(`${own.authUrl}/auth/tokens`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      signal: AbortSignal.timeout(TIMEOUT_MS),
      body: JSON.stringify({
        auth: {
          identity: { methods: ['password'], password: { user: { name: username, password, domain } } },
          scope: { project: { name: project, domain } },
        },
      }),
    })
    const token = answer.headers.get('x-subject-token')
    const text = await answer.text()
    if (token === null) throw new Error(`${username} cannot log in: ${answer.status} ${text}`)
    return new CloudUser(own, token, (JSON.parse(text) as TokenBody).token)
  }

  /** Without a slash at its end. */
  endpoint(type: ServiceType): string {
    const entry = this.#catalog.find((one) => one.type === type)
    const found = entry?.endpoints.find((one) => one.interface === 'public' && one.region === this.account.region)
    if (found === undefined) throw new Error(`the catalogue has no ${type}`)
    return found.url.replace(/\/$/, '')
  }

  /** The answer, whatever its status. */
  async call<T>(type: ServiceType, method: string, path: string, body?: object): Promise<Answer<T>> {
    const answer = await fetch(`${this.endpoint(type)}${path}`, {
      method,
      headers: {
        'x-auth-token': this.token,
        'content-type': 'application/json',
        'openstack-api-version': type === 'placement' ? 'placement 1.28' : 'volume 3.60',
      },
      signal: AbortSignal.timeout(TIMEOUT_MS),
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    const text = await answer.text()
    return { status: answer.status, body: (isJson(answer) ? JSON.parse(text) : text) as T }
  }

  /** The body of an answer that is a success; anything else throws. */
  async get<T>(type: ServiceType, path: string): Promise<T> {
    return await this.#expect<T>(type, 'GET', path)
  }

  async post<T>(type: ServiceType, path: string, body: object): Promise<T> {
    return await this.#expect<T>(type, 'POST', path, body)
  }

  async put<T>(type: ServiceType, path: string, body: object): Promise<T> {
    return await this.#expect<T>(type, 'PUT', path, body)
  }

  async patch<T>(type: ServiceType, path: string, body: object): Promise<T> {
    return await this.#expect<T>(type, 'PATCH', path, body)
  }

  async delete(type: ServiceType, path: string): Promise<void> {
    await this.#expect(type, 'DELETE', path)
  }

  async #expect<T>(type: ServiceType, method: string, path: string, body?: object): Promise<T> {
    const answer = await this.call<T>(type, method, path, body)
    if (answer.status >= 400) {
      throw new Error(`${method} ${type}${path}: ${answer.status} ${JSON.stringify(answer.body).slice(0, 500)}`)
    }
    return answer.body
  }
}

interface TokenBody {
  readonly token: {
    readonly user: { readonly id: string }
    readonly project: { readonly id: string }
    readonly roles: readonly { readonly name: string }[]
    readonly catalog: readonly CatalogEntry[]
  }
}

function isJson(answer: Response): boolean {
  return answer.headers.get('content-type')?.includes('json') === true
}
