/** Why a test failed and where, in a few lines: of a long output the end may be all that is kept. */
import { pathToFileURL } from 'node:url'
import { stripVTControlCharacters } from 'node:util'

const MOST_LINES = 6
const MOST_CHARACTERS = 600
const SAYS_NOTHING = new Set(['subtestsFailed', 'cancelledByParent'])

/** undefined: no more than that other tests failed, which tell themselves why. */
export function reasonOf(error: unknown): string | undefined {
  if (SAYS_NOTHING.has(String(failureType(error)))) return undefined
  const messages = chainOf(error).map((one) => (one instanceof Error ? one.message : String(one)))
  // The error of the runner repeats the one that it wraps.
  return short(messages.filter((message, i) => message !== '' && message !== messages[i - 1]).join(': '))
}

/** As `path:line:column`: what the file itself did last, else what was done for it; undefined if the error does not tell. */
export function placeOf(error: unknown, file: string): string | undefined {
  const frames = chainOf(error)
    .toReversed()
    .flatMap((one) => (one instanceof Error ? (one.stack ?? '').split('\n') : []))
  const places = frames.flatMap((frame) => {
    const url = /^\s+at .*?(file:\/\/\S+:\d+:\d+)\)?$/.exec(frame)?.[1]
    return url === undefined || url.includes('/node_modules/') ? [] : [url]
  })
  const own = places.find((url) => url.startsWith(`${pathToFileURL(file).href}:`)) ?? places[0]
  return own === undefined ? undefined : decodeURI(own.slice('file://'.length))
}

/** What a program that broke off has said last. */
export function lastWords(lines: readonly string[]): string {
  const telling = lines.filter((line) => line.trim() !== '' && !/^\s+at |^Node\.js v/.test(line))
  const first = telling.findIndex((line) => /^\S*Error\b/.test(line))
  return short(telling.slice(first === -1 ? -MOST_LINES : first).join('\n'))
}

/** How the runner classifies it. */
export function failureType(error: unknown): unknown {
  return error instanceof Error && 'failureType' in error ? error.failureType : undefined
}

function chainOf(error: unknown): unknown[] {
  const chain: unknown[] = []
  for (let one = error; one !== undefined && chain.length < 5; one = one instanceof Error ? one.cause : undefined) {
    chain.push(one)
  }
  return chain
}

function short(text: string): string {
  const lines = stripVTControlCharacters(text)
    .split('\n')
    .filter((line) => line.trim() !== '')
  // Of a comparison: what differs.
  const telling = lines.length <= MOST_LINES ? lines : lines.filter((line, i) => i === 0 || /^[+-] /.test(line))
  const kept = (telling.length > 2 ? telling : lines).slice(0, MOST_LINES).join('\n').slice(0, MOST_CHARACTERS)
  return kept.length < lines.join('\n').length ? `${kept} …` : kept
}
