/** Reads check strings. What is wrong with one is told with its position, and can never make a rule allow more. */
import type { Check } from './check.ts'

export interface RuleFlaw {
  /** Counted from 1 in the check string; null: the rule as a whole. */
  readonly position: number | null
  readonly why: string
}

export interface ParsedRule {
  readonly check: Check
  readonly flaws: readonly RuleFlaw[]
}

interface Token {
  readonly text: string
  /** Counted from 1. */
  readonly at: number
}

const TRUE: Check = { kind: 'constant', value: true }
export const FALSE: Check = { kind: 'constant', value: false }

/** Parentheses and `not` inside each other. */
const DEEPEST = 200

class BadExpression extends Error {
  readonly position: number

  constructor(position: number, why: string) {
    super(why)
    this.position = position
  }
}

/** A rule as it stands in a file: a text, or the old form of lists (outer: or, inner: and). */
export function parseRule(rule: unknown): ParsedRule {
  const flaws: RuleFlaw[] = []
  try {
    if (typeof rule === 'string') return { check: new Parser(rule, flaws).whole(), flaws }
    if (Array.isArray(rule)) return { check: parseLists(rule, flaws), flaws }
    throw new BadExpression(0, 'a rule is a text or a list')
  } catch (error) {
    if (!(error instanceof BadExpression)) throw error
    const position = error.position === 0 ? null : error.position
    return { check: FALSE, flaws: [...flaws, { position, why: error.message }] }
  }
}

/** An entry without any check says nothing, not yes. */
function parseLists(entries: readonly unknown[], flaws: RuleFlaw[]): Check {
  if (entries.length === 0) return TRUE
  const checks = entries.flatMap((entry): Check[] => {
    const parts: readonly unknown[] = Array.isArray(entry) ? entry : [entry]
    const all = parts.flatMap((part): Check[] => {
      if (typeof part !== 'string') throw new BadExpression(0, 'a list of checks holds texts, or lists of texts')
      return part === '' ? [] : [parseCheck({ text: part, at: 1 }, flaws)]
    })
    return all.length === 0 ? [] : [{ kind: 'and', checks: all }]
  })
  return { kind: 'or', checks }
}

/** Parentheses are peeled off the ends of words only, so that `%(name)s` stays whole. */
function tokenise(text: string): Token[] {
  const tokens: Token[] = []
  for (const { 0: word, index } of text.matchAll(/\S+/g)) {
    const opening = /^\(*/.exec(word)?.[0].length ?? 0
    const rest = word.slice(opening)
    let end = rest.length
    while (rest[end - 1] === ')') end -= 1
    for (let i = 0; i < opening; i += 1) tokens.push({ text: '(', at: index + i + 1 })
    if (end > 0) tokens.push({ text: rest.slice(0, end), at: index + opening + 1 })
    for (let i = end; i < rest.length; i += 1) tokens.push({ text: ')', at: index + opening + i + 1 })
  }
  return tokens
}

class Parser {
  readonly #tokens: readonly Token[]
  readonly #end: number
  readonly #flaws: RuleFlaw[]
  #next = 0
  #depth = 0

  constructor(text: string, flaws: RuleFlaw[]) {
    this.#tokens = tokenise(text)
    this.#end = text.length + 1
    this.#flaws = flaws
  }

  whole(): Check {
    if (this.#tokens.length === 0) return TRUE
    const check = this.#or()
    const left = this.#tokens[this.#next]
    if (left !== undefined) throw new BadExpression(left.at, `'${left.text}' is not expected here`)
    return check
  }

  #or(): Check {
    return this.#list('or', () => this.#list('and', () => this.#not()))
  }

  #list(kind: 'and' | 'or', part: () => Check): Check {
    const first = part()
    const checks = [first]
    while (this.#keyword() === kind) {
      this.#next += 1
      checks.push(part())
    }
    return checks.length === 1 ? first : { kind, checks }
  }

  #not(): Check {
    if (this.#keyword() !== 'not') return this.#atom()
    this.#next += 1
    return { kind: 'not', check: this.#nested(() => this.#not()) }
  }

  #atom(): Check {
    const token = this.#tokens[this.#next]
    if (token === undefined) throw new BadExpression(this.#end, 'a check is missing at the end')
    if (token.text === ')' || ['and', 'or'].includes(token.text.toLowerCase())) {
      throw new BadExpression(token.at, `a check is missing before '${token.text}'`)
    }
    this.#next += 1
    if (token.text !== '(') return parseCheck(token, this.#flaws)
    const inner = this.#nested(() => this.#or())
    const closing = this.#tokens[this.#next]
    if (closing === undefined) throw new BadExpression(token.at, "this '(' is not closed")
    if (closing.text !== ')') throw new BadExpression(closing.at, `'${closing.text}' is not expected here`)
    this.#next += 1
    return inner
  }

  #nested(parse: () => Check): Check {
    this.#depth += 1
    const at = this.#tokens[this.#next]?.at ?? this.#end
    if (this.#depth > DEEPEST) throw new BadExpression(at, `more than ${DEEPEST} levels inside each other`)
    const check = parse()
    this.#depth -= 1
    return check
  }

  #keyword(): string | undefined {
    return this.#tokens[this.#next]?.text.toLowerCase()
  }
}

function parseCheck({ text, at }: Token, flaws: RuleFlaw[]): Check {
  if (text === '@') return TRUE
  if (text === '!') return FALSE
  if (/^'.*'$|^".*"$/s.test(text)) throw new BadExpression(at, `${text} is a text in quotes and not a check`)
  const colon = text.indexOf(':')
  if (colon < 0) {
    flaws.push({ position: at, why: `'${text}' is not of the form KIND:MATCH and never matches` })
    return FALSE
  }
  const kind = text.slice(0, colon)
  const match = text.slice(colon + 1)
  if (kind === 'rule') return { kind, match }
  if (kind === 'http' || kind === 'https') {
    flaws.push({ position: at, why: 'no other server is asked by a rule: this check decides nothing' })
    return { kind: 'undecided' }
  }
  const bad = /%(?!%|\([^)]*\)s)./.exec(match.replaceAll('%%', '  ')) ?? /%$/.exec(match.replaceAll('%%', '  '))
  if (bad !== null) {
    const why = "'%' begins neither %(name)s nor %%: this check never matches"
    flaws.push({ position: at + colon + 1 + bad.index, why })
    return FALSE
  }
  return kind === 'role' ? { kind, match } : { kind: 'generic', left: kind, match }
}
