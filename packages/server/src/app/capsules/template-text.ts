/** A template as text, which is JSON or YAML. What YAML has beyond JSON is bounded or refused. */
import { isAlias, isMap, isNode, isScalar, isSeq, Lexer, parseDocument, type Node } from 'yaml'
import { InvalidInput } from '../../domain/errors.ts'
import { listed } from '../fields.ts'

const CODE = 'failed-parse-string-to-json'

/** Characters and tokens of a YAML text: to read it takes much longer than to read JSON, and everybody waits. */
const LONGEST_YAML = 65_536
const MOST_YAML_TOKENS = 20_000
/** As deep as a JSON body may be. */
const DEEPEST = 64
/** Values after aliases were followed: nine lines of YAML can stand for a billion. */
const MOST_VALUES = 20_000

export function parseTemplateText(text: string): unknown {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return fromYaml(text)
  }
  checkJson(value, 1)
  return value
}

function fromYaml(text: string): unknown {
  if (text.length > LONGEST_YAML) {
    throw unreadable(`as JSON it cannot be read, and as YAML it may have at most ${LONGEST_YAML} characters`)
  }
  let tokens = 0
  for (const _ of new Lexer().lex(text)) {
    tokens += 1
    if (tokens > MOST_YAML_TOKENS) throw unreadable(`it has more than ${MOST_YAML_TOKENS} words and signs`)
  }
  const document = parseDocument(text, {
    // Found below: the library compares each key with each.
    uniqueKeys: false,
    resolveKnownTags: false,
  })
  const [trouble] = [...document.errors, ...document.warnings]
  if (trouble !== undefined) throw unreadable(trouble.message.split('\n')[0]?.replace(/:$/, '') ?? '')
  return new PlainValues().of(document.contents, 1)
}

/** The values of a document as JSON has them. */
class PlainValues {
  readonly #anchors = new Map<string, Node>()
  #count = 0
  #aliasDepth = 0

  of(node: Node | null, depth: number): unknown {
    if (depth > DEEPEST) throw tooDeep()
    this.#count += 1
    if (this.#count > MOST_VALUES) throw unreadable(`it has more than ${MOST_VALUES} values`)
    if (isAlias(node)) return this.#ofAlias(node.source, depth)
    const value = this.#ofNode(node, depth)
    // An alias stands for what is complete before it, so that nothing can hold itself.
    if (node !== null && 'anchor' in node && typeof node.anchor === 'string' && this.#aliasDepth === 0) {
      this.#anchors.set(node.anchor, node)
    }
    return value
  }

  #ofAlias(name: string, depth: number): unknown {
    const node = this.#anchors.get(name)
    if (node === undefined) throw unreadable(`the alias ${listed([name], "'")} stands for nothing before it`)
    this.#aliasDepth += 1
    const value = this.of(node, depth)
    this.#aliasDepth -= 1
    return value
  }

  #ofNode(node: Node | null, depth: number): unknown {
    if (node === null) return null
    if (isSeq(node)) return node.items.map((item) => this.of(asNode(item), depth + 1))
    if (isMap(node)) {
      const object: Record<string, unknown> = {}
      for (const { key, value } of node.items) {
        const name = this.#nameOf(asNode(key), depth + 1)
        if (Object.hasOwn(object, name)) throw unreadable(`${listed([name], "'")} stands twice in the same mapping`)
        object[name] = this.of(asNode(value), depth + 1)
      }
      return object
    }
    return isScalar(node) ? checkedScalar(node.value) : null
  }

  #nameOf(node: Node | null, depth: number): string {
    const name = this.of(node, depth)
    if (typeof name !== 'string' && typeof name !== 'number' && typeof name !== 'boolean') {
      throw unreadable('a name in a mapping is not a word')
    }
    return checkedName(String(name))
  }
}

function asNode(value: unknown): Node | null {
  return isNode(value) ? value : null
}

function checkedScalar(value: unknown): unknown {
  if (typeof value === 'string') return checkedText(value)
  if (typeof value === 'number' && !Number.isFinite(value)) throw unreadable(`${value} is not a number of JSON`)
  return typeof value === 'number' || typeof value === 'boolean' ? value : null
}

/** What JSON allows and nothing behind this point could keep as it is. */
function checkJson(value: unknown, depth: number): void {
  if (typeof value === 'string') checkedText(value)
  if (typeof value !== 'object' || value === null) return
  if (depth > DEEPEST) throw tooDeep()
  for (const [name, item] of Object.entries(value)) {
    checkedName(name)
    checkJson(item, depth + 1)
  }
}

function checkedName(name: string): string {
  // To set it on another object would change what that object is.
  if (name === '__proto__') throw unreadable("'__proto__' is not a usable name")
  return checkedText(name)
}

function checkedText(text: string): string {
  if (!text.isWellFormed()) throw unreadable('it holds half of a surrogate pair, which is not text')
  return text
}

function tooDeep(): InvalidInput {
  return unreadable(`it is nested more than ${DEEPEST} levels deep`)
}

function unreadable(why: string): InvalidInput {
  return new InvalidInput(`The text in 'template' is neither JSON nor YAML that can be used: ${why}.`, CODE)
}
