/**
 * The oslo.policy rule language (policy.md 4). Rules are parsed once into a tree of checks; evaluating a tree never
 * throws: what cannot be understood is false.
 */

export type Check =
  | { readonly kind: 'constant'; readonly value: boolean }
  | { readonly kind: 'not'; readonly check: Check }
  | { readonly kind: 'and' | 'or'; readonly checks: readonly Check[] }
  | { readonly kind: 'rule' | 'role'; readonly match: string }
  | { readonly kind: 'generic'; readonly left: string; readonly match: string }

export type Credentials = Readonly<Record<string, unknown>>
export type Target = Readonly<Record<string, unknown>>
export type RuleSet = ReadonlyMap<string, Check>

const TRUE: Check = { kind: 'constant', value: true }
const FALSE: Check = { kind: 'constant', value: false }

/** Deeper than any rule a person writes; also what makes a rule that names itself end. */
const MAX_RULE_DEPTH = 32

/** A rule as it stands in a file: a text, or the old form of lists (outer: or, inner: and). */
export function parseRule(rule: unknown): Check {
  if (typeof rule === 'string') return parseText(rule)
  if (!Array.isArray(rule)) return FALSE
  if (rule.length === 0) return TRUE
  const checks = rule.map((entry: unknown): Check => {
    if (typeof entry === 'string') return parseCheck(entry)
    if (!Array.isArray(entry)) return FALSE
    return { kind: 'and', checks: entry.map((one: unknown) => (typeof one === 'string' ? parseCheck(one) : FALSE)) }
  })
  return { kind: 'or', checks }
}

function parseText(text: string): Check {
  if (text.trim() === '') return TRUE
  const parser = new Parser(tokenise(text))
  return parser.whole() ?? FALSE
}

/** Parentheses are peeled off the ends of words only, so that `%(name)s` stays whole. */
function tokenise(text: string): string[] {
  const tokens: string[] = []
  for (const word of text.split(/\s+/).filter((part) => part !== '')) {
    let clean = word
    while (clean.startsWith('(')) {
      tokens.push('(')
      clean = clean.slice(1)
    }
    let closing = 0
    while (clean.endsWith(')')) {
      closing += 1
      clean = clean.slice(0, -1)
    }
    if (clean !== '') tokens.push(clean)
    for (let i = 0; i < closing; i += 1) tokens.push(')')
  }
  return tokens
}

class Parser {
  readonly #tokens: readonly string[]
  #at = 0
  #depth = 0

  constructor(tokens: readonly string[]) {
    this.#tokens = tokens
  }

  /** undefined when the text as a whole is not one expression. */
  whole(): Check | undefined {
    const check = this.#or()
    return this.#at === this.#tokens.length ? check : undefined
  }

  #or(): Check | undefined {
    return this.#list('or', () => this.#list('and', () => this.#not()))
  }

  #list(kind: 'and' | 'or', next: () => Check | undefined): Check | undefined {
    const first = next()
    if (first === undefined) return undefined
    const checks = [first]
    while (this.#peek()?.toLowerCase() === kind) {
      this.#at += 1
      const more = next()
      if (more === undefined) return undefined
      checks.push(more)
    }
    return checks.length === 1 ? first : { kind, checks }
  }

  #not(): Check | undefined {
    if (this.#peek()?.toLowerCase() !== 'not') return this.#atom()
    this.#at += 1
    const check = this.#nested(() => this.#not())
    return check === undefined ? undefined : { kind: 'not', check }
  }

  #atom(): Check | undefined {
    const token = this.#peek()
    if (token === undefined || token === ')' || ['and', 'or'].includes(token.toLowerCase())) return undefined
    this.#at += 1
    if (token !== '(') return parseCheck(token)
    const inner = this.#nested(() => this.#or())
    if (inner === undefined || this.#peek() !== ')') return undefined
    this.#at += 1
    return inner
  }

  #nested(parse: () => Check | undefined): Check | undefined {
    this.#depth += 1
    try {
      return this.#depth > 200 ? undefined : parse()
    } finally {
      this.#depth -= 1
    }
  }

  #peek(): string | undefined {
    return this.#tokens[this.#at]
  }
}

function parseCheck(token: string): Check {
  if (token === '@') return TRUE
  if (token === '!') return FALSE
  const colon = token.indexOf(':')
  if (colon < 0) return FALSE
  const kind = token.slice(0, colon)
  const match = token.slice(colon + 1)
  if (kind === 'rule' || kind === 'role') return { kind, match }
  // A rule that asks a remote server is not followed: a policy must not make the API wait for the network.
  if (kind === 'http' || kind === 'https') return FALSE
  return { kind: 'generic', left: kind, match }
}

export interface Enforcement {
  readonly rules: RuleSet
  /** Rule that stands in for unknown ones, if there is one of that name. */
  readonly defaultRule: string
  readonly credentials: Credentials
  readonly target: Target
}

export function enforceRule(name: string, e: Enforcement, depth = 0): boolean {
  const check = e.rules.get(name) ?? e.rules.get(e.defaultRule)
  return check !== undefined && depth <= MAX_RULE_DEPTH && evaluate(check, e, depth)
}

function evaluate(check: Check, e: Enforcement, depth: number): boolean {
  switch (check.kind) {
    case 'constant':
      return check.value
    case 'not':
      return !evaluate(check.check, e, depth)
    case 'and':
      return check.checks.every((one) => evaluate(one, e, depth))
    case 'or':
      return check.checks.some((one) => evaluate(one, e, depth))
    case 'rule':
      return enforceRule(check.match, e, depth + 1)
    case 'role': {
      const role = substitute(check.match, e.target)?.toLowerCase()
      const { roles } = e.credentials
      return role !== undefined && Array.isArray(roles) && roles.some((r) => String(r).toLowerCase() === role)
    }
    case 'generic': {
      const wanted = substitute(check.match, e.target)
      if (wanted === undefined) return false
      const literal = literalText(check.left)
      if (literal !== undefined) return literal === wanted
      return reach(e.credentials, check.left.split('.')).some((value) => pythonText(value) === wanted)
    }
    default:
      return check satisfies never
  }
}

/** `%(key)s` from the target; undefined when a key is missing. */
function substitute(match: string, target: Target): string | undefined {
  let missing = false
  const text = match.replaceAll(/%(?:\(([^)]*)\)s|%)/g, (whole: string, key: string | undefined) => {
    if (whole === '%%') return '%'
    if (key === undefined || !Object.hasOwn(target, key)) {
      missing = true
      return ''
    }
    return pythonText(target[key])
  })
  return missing ? undefined : text
}

/** Left sides that are Python literals stand for themselves. */
function literalText(left: string): string | undefined {
  if (left === 'True' || left === 'False' || left === 'None') return left
  if (/^-?\d+(\.\d+)?$/.test(left)) return left
  const quoted = /^'(.*)'$|^"(.*)"$/.exec(left)
  return quoted === null ? undefined : (quoted[1] ?? quoted[2])
}

function reach(value: unknown, path: readonly string[]): unknown[] {
  const [key, ...rest] = path
  if (Array.isArray(value)) return value.flatMap((one: unknown) => reach(one, path))
  if (key === undefined) return [value]
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return []
  return reach((value as Record<string, unknown>)[key], rest)
}

/** Python's `str()`: policy files compare with `True` and `None`. */
function pythonText(value: unknown): string {
  if (value === true) return 'True'
  if (value === false) return 'False'
  if (value === null || value === undefined) return 'None'
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? '')
}
