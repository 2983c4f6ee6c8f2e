import assert from 'node:assert/strict'
import { documentedFetch } from './conformance.ts'
import { connect, passwordLogin, withToken, type Client } from '@zund/client'
import { setTimeout as sleep } from 'node:timers/promises'

export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  /** Parsed JSON; undefined for an empty body. */
  readonly body: unknown
}

export interface ContainerBody {
  readonly uuid: string
  readonly name: string
  readonly status: string
  readonly status_reason: string | null
  readonly status_detail: string | null
  readonly task_state: string | null
  readonly addresses: Readonly<Record<string, readonly { addr: string; version: number; port: string }[]>>
  readonly [field: string]: unknown
}

export interface CallOptions {
  readonly body?: unknown
  /** Microversion, e.g. `1.40`. */
  readonly version?: string
  readonly headers?: Readonly<Record<string, string>>
}

/** Runs for long and ends at once when asked to; a bare `sleep` as first process would not hear SIGTERM. */
export const UNTIL_TERM = 'trap "exit 0" TERM; sleep 1000 & wait'
export const OBEDIENT = ['sh', '-c', UNTIL_TERM]

/** A small client for tests: no retries, no cleverness. */
export class ApiClient {
  readonly baseUrl: string
  readonly token: string
  readonly projectId: string
  readonly #fetch: typeof fetch

  constructor(baseUrl: string, token: string, projectId: string, ask: typeof fetch = documentedFetch) {
    this.baseUrl = baseUrl
    this.token = token
    this.projectId = projectId
    this.#fetch = ask
  }

  static async login(
    baseUrl: string,
    { username, password, project }: { username: string; password: string; project: string },
  ): Promise<ApiClient> {
    const auth = passwordLogin({ authUrl: `${baseUrl}/identity`, username, password, project, endpoint: baseUrl })
    const { token, projectId } = await auth.session({ fetch: documentedFetch })
    return new ApiClient(baseUrl, token, projectId ?? '')
  }

  /** Without the check of answers, for what is measured. */
  unchecked(): ApiClient {
    return new ApiClient(this.baseUrl, this.token, this.projectId, fetch)
  }

  /** The client that users have, with every answer held against the document. */
  async sdk(version?: string): Promise<Client> {
    return await connect({
      auth: withToken(this.token, this.baseUrl),
      fetch: this.#fetch,
      timeoutMs: 120_000,
      ...(version === undefined ? {} : { version }),
    })
  }

  async call(method: string, path: string, options: CallOptions = {}): Promise<Answer> {
    const { body, version = '1.40', headers = {} } = options
    const sent: Record<string, string> = {
      'x-auth-token': this.token,
      'openstack-api-version': `container ${version}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
    }
    const ask = this.#fetch
    const answer = await ask(`${this.baseUrl}${path}`, {
      method,
      headers: sent,
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      signal: AbortSignal.timeout(120_000),
    })
    const text = await answer.text()
    const json = answer.headers.get('content-type')?.startsWith('application/json') === true && text !== ''
    return { status: answer.status, headers: answer.headers, text, body: json ? JSON.parse(text) : undefined }
  }

  /** Like `call`, and the status must be the given one. */
  async expect<T = unknown>(status: number, method: string, path: string, options: CallOptions = {}): Promise<T> {
    const answer = await this.call(method, path, options)
    assert.equal(answer.status, status, `${method} ${path}: ${answer.text.slice(0, 500)}`)
    return answer.body as T
  }

  /** Creates and starts a busybox container, and waits until it runs. */
  async run(body: object = {}): Promise<ContainerBody> {
    const made = await this.expect<ContainerBody>(202, 'POST', '/v1/containers?run=true', {
      body: { image: 'busybox', image_pull_policy: 'never', command: OBEDIENT, ...body },
    })
    return await this.waitFor(made.uuid, (container) => container.status === 'Running')
  }

  async show(ident: string): Promise<ContainerBody> {
    return await this.expect<ContainerBody>(200, 'GET', `/v1/containers/${ident}`)
  }

  /** Polls until the container is as wanted; fails at once when it is in Error and that is not what is waited for. */
  async waitFor(
    ident: string,
    isWanted: (container: ContainerBody) => boolean,
    deadlineMs = 60_000,
  ): Promise<ContainerBody> {
    const deadline = Date.now() + deadlineMs
    for (;;) {
      const container = await this.show(ident)
      if (isWanted(container)) return container
      if (container.status === 'Error' || Date.now() > deadline) {
        assert.fail(`container ${ident} is ${container.status} (${container.task_state}): ${container.status_reason}`)
      }
      await sleep(20)
    }
  }

  async waitGone(ident: string, deadlineMs = 60_000): Promise<void> {
    const deadline = Date.now() + deadlineMs
    for (;;) {
      const { status, text } = await this.call('GET', `/v1/containers/${ident}`)
      if (status === 404) return
      assert.equal(status, 200, text)
      if (Date.now() > deadline) assert.fail(`container ${ident} is still there: ${text.slice(0, 500)}`)
      await sleep(20)
    }
  }

  async delete(ident: string, query = 'stop=true'): Promise<void> {
    await this.expect(204, 'DELETE', `/v1/containers/${ident}?${query}`)
    await this.waitGone(ident)
  }
}
