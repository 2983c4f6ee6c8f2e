/** As much of a client as it takes to fill an empty cloud. */
import { passwordOf, URLS } from './places.ts'

const TIMEOUT_MS = 60_000

export class Account {
  readonly #token: string
  readonly projectId: string

  private constructor(token: string, projectId: string) {
    this.#token = token
    this.projectId = projectId
  }

  static async login(user: string, project: string): Promise<Account> {
    const domain = { id: 'default' }
    const answer = await fetch(`${URLS.identity}/v3/auth/tokens`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      signal: AbortSignal.timeout(TIMEOUT_MS),
      body: JSON.stringify({
        auth: {
          identity: { methods: ['password'], password: { user: { name: user, password: passwordOf(user), domain } } },
          scope: { project: { name: project, domain } },
        },
      }),
    })
    const token = answer.headers.get('x-subject-token')
    const { token: about } = (await answer.json()) as { token?: { project: { id: string } } }
    if (token === null || about === undefined) throw new Error(`${user} cannot log in: ${answer.status}`)
    return new Account(token, about.project.id)
  }

  async get<T>(url: string): Promise<T> {
    return await this.#call<T>('GET', url)
  }

  async post<T>(url: string, body: object): Promise<T> {
    return await this.#call<T>('POST', url, JSON.stringify(body))
  }

  async put(url: string, body?: Buffer): Promise<void> {
    await this.#call('PUT', url, body, 'application/octet-stream')
  }

  async #call<T>(method: string, url: string, body?: string | Buffer, type = 'application/json'): Promise<T> {
    const answer = await fetch(url, {
      method,
      headers: { 'x-auth-token': this.#token, ...(body === undefined ? {} : { 'content-type': type }) },
      signal: AbortSignal.timeout(TIMEOUT_MS),
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : new Uint8Array(body) }),
    })
    const text = await answer.text()
    if (!answer.ok) throw new Error(`${method} ${url}: ${answer.status} ${text.slice(0, 500)}`)
    return (text === '' ? undefined : JSON.parse(text)) as T
  }
}
