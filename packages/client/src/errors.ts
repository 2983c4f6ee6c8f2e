/** The service, or the identity service, has refused. */
export class ApiError extends Error {
  readonly status: number
  /** What follows `container.`, e.g. `container-not-found`; empty: it named none. */
  readonly code: string
  readonly title: string
  readonly detail: string
  /** Under this id the service's log has it; null: the answer had none. */
  readonly requestId: string | null
  /** `GET /v1/containers`, without its query. */
  readonly call: string

  constructor(
    call: string,
    answer: { readonly status: number; readonly text: string; readonly requestId: string | null },
  ) {
    const { code, title, detail } = partsOf(answer.text)
    super(`${call}: ${title === '' ? 'refused' : title} (HTTP ${answer.status})`)
    this.name = 'ApiError'
    this.call = call
    this.status = answer.status
    this.requestId = answer.requestId
    this.code = code
    this.title = title
    this.detail = detail
  }
}

/** Nobody answered, or it was no answer of this API. `cause` says more. */
export class ConnectionError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'ConnectionError'
  }
}

/** Both forms: `{"errors": [{…}]}` of the API, `{"error": {…}}` of the check of the token and of Keystone. */
function partsOf(text: string): { code: string; title: string; detail: string } {
  const body = parsed(text)
  const errors = field(body, 'errors')
  const one = Array.isArray(errors) ? errors[0] : field(body, 'error')
  const title = textOf(one, 'title')
  return {
    code: textOf(one, 'code').replace(/^container\./, ''),
    title: title === '' ? textOf(one, 'message') : title,
    detail: textOf(one, 'detail') || textOf(one, 'message'),
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function field(body: unknown, name: string): unknown {
  return typeof body === 'object' && body !== null && name in body ? Reflect.get(body, name) : undefined
}

function textOf(body: unknown, name: string): string {
  const value = field(body, name)
  return typeof value === 'string' ? value : ''
}
