/** Holds one conversation: its requests in order, over HTTP, with what earlier answers gave put into later ones. */
import { documentedFetch } from '../support/conformance.ts'
import assert from 'node:assert/strict'
import type { SimMachine } from '../support/sim-machine.ts'
import { until } from '../support/until.ts'
import type { Shapes, Step } from './format.ts'
import { isObject, mismatches } from './match.ts'

export const NEWEST = 40

/** One request and the status of its answer. */
export interface Exchange {
  readonly method: string
  readonly path: string
  readonly minor: number
  readonly status: number
  readonly boundary: number | undefined
}

interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly text: string
  readonly body: unknown
}

export class Talk {
  readonly #machine: SimMachine
  readonly #shapes: Shapes
  readonly #kept = new Map<string, string>()
  readonly exchanges: Exchange[] = []

  constructor(machine: SimMachine, shapes: Shapes) {
    this.#machine = machine
    this.#shapes = shapes
    this.#kept.set('origin', `http://127.0.0.1:${machine.port}`)
    for (const project of ['red', 'blue', 'ops']) this.#kept.set(project, machine.projectId(project))
  }

  async take(step: Step): Promise<void> {
    const minors = [step.at ?? NEWEST].flat()
    for (const minor of minors) {
      this.#kept.set('minor', String(minor))
      const about = `${step.ask} at 1.${minor}${step.about === undefined ? '' : ` (${step.about})`}`
      const once = async (): Promise<string[]> => await this.#exchange(step, minor)
      if (step.until !== true) assert.deepEqual(await once(), [], about)
      else {
        let wrong: string[] = []
        await until(about, async () => {
          wrong = await once()
          return wrong.length === 0
        }).catch(() => assert.deepEqual(wrong, [], about))
      }
    }
  }

  async #exchange(step: Step, minor: number): Promise<string[]> {
    const [method = '', target = ''] = this.#filled(step.ask).split(' ')
    const answer = await this.#send(step, method, target, minor)
    const [path = ''] = target.split('?')
    this.exchanges.push({ method, path, minor, status: answer.status, boundary: step.boundary })
    const wrong = [...this.#common(answer, path, minor), ...this.#wrong(step.expect, answer)]
    if (wrong.length === 0) this.#keep(step, answer)
    return wrong
  }

  async #send({ as = 'alice', headers = {}, body, raw }: Step, method: string, target: string, minor: number) {
    const payload = raw ?? (body === undefined ? undefined : JSON.stringify(this.#filledIn(body)))
    const sent: Record<string, string> = {
      ...(as === 'nobody' ? {} : { 'x-auth-token': this.#machine.token(as) }),
      'openstack-api-version': `container 1.${minor}`,
      'content-type': 'application/json',
      ...headers,
    }
    const response = await documentedFetch(`http://127.0.0.1:${this.#machine.port}${target}`, {
      method,
      headers: sent,
      ...(payload === undefined ? {} : { body: payload }),
    })
    const text = await response.text()
    const isJson = response.headers.get('content-type')?.startsWith('application/json') === true && text !== ''
    const parsed: unknown = isJson ? JSON.parse(text) : undefined
    return { status: response.status, headers: Object.fromEntries(response.headers), text, body: parsed }
  }

  /** What holds for every answer (api-conventions 3, 5 and 12). */
  #common({ status, headers, text }: Answer, path: string, minor: number): string[] {
    if (path === '/healthcheck') return []
    const wrong = mismatches('/^req-[0-9a-f-]{36}$/', headers['x-openstack-request-id'], 'the request id', {})
    if (status === 204 && text !== '') wrong.push(`a 204 has a body: ${text}`)
    const isPublic = path === '/' || path === '/container'
    if (!isPublic && status !== 401 && status !== 406 && minor <= NEWEST) {
      wrong.push(...mismatches(`container 1.${minor}`, headers['openstack-api-version'], 'the version', {}))
    }
    return wrong
  }

  #wrong(expected: Step['expect'], answer: Answer): string[] {
    const { status, headers = {}, text, error, says } = expected
    if (answer.status !== status) return [`the status should be ${status} and is ${answer.status}: ${answer.text}`]
    const compare = (wanted: unknown, actual: unknown, at: string): string[] =>
      mismatches(this.#filledIn(wanted), actual, at, this.#shapes)
    return [
      ...Object.entries(headers).flatMap(([name, value]) => compare(value, answer.headers[name], `header ${name}`)),
      ...(text === undefined ? [] : compare(text, answer.text, 'the text')),
      ...(Object.hasOwn(expected, 'body') ? compare(expected.body, answer.body, 'the body') : []),
      ...(error === undefined && says === undefined ? [] : this.#errorMismatch(error ?? '', says, answer)),
    ]
  }

  /** api-conventions 6. */
  #errorMismatch(code: string, says: string | undefined, { status, headers, body }: Answer): string[] {
    const title = says === undefined ? '/./' : this.#filled(says)
    const error = { code: `container.${code}`, status, title, detail: title, links: [] }
    const requestId = headers['x-openstack-request-id']
    return mismatches({ errors: [{ request_id: requestId, ...error }] }, body, 'the body', {})
  }

  #keep({ keep = {}, ask }: Step, { headers, body }: Answer): void {
    for (const [name, place] of Object.entries(keep)) {
      const [root = '', ...path] = place.split('.')
      let value: unknown = root === 'headers' ? headers : body
      for (const part of path) {
        value = isObject(value) ? value[part] : Array.isArray(value) ? (value[Number(part)] as unknown) : undefined
      }
      if (typeof value !== 'string') throw new Error(`${ask}: ${place} is no text that could be kept as ${name}`)
      this.#kept.set(name, value)
    }
  }

  #filledIn(value: unknown): unknown {
    if (typeof value === 'string') return this.#filled(value)
    if (Array.isArray(value)) return value.map((item) => this.#filledIn(item))
    if (!isObject(value)) return value
    return Object.fromEntries(Object.entries(value).map(([name, item]) => [this.#filled(name), this.#filledIn(item)]))
  }

  #filled(text: string): string {
    return text.replaceAll(/\$\{(\w+)\}/g, (_, name: string) => {
      const value = this.#kept.get(name)
      if (value === undefined) throw new Error(`nothing was kept as ${name}`)
      return value
    })
  }
}
