/** Server-sent events. */
import type { IncomingMessage } from 'node:http'
import { StringDecoder } from 'node:string_decoder'

export interface Message {
  readonly id: string | undefined
  readonly data: string | undefined
}

export async function* messages(answer: IncomingMessage): AsyncGenerator<Message> {
  const decoder = new StringDecoder('utf8')
  let text = ''
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    text += decoder.write(chunk)
    for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
      const lines = text.slice(0, end).split('\n')
      text = text.slice(end + 2)
      const value = (name: string): string | undefined =>
        lines.find((line) => line.startsWith(`${name}: `))?.slice(name.length + 2)
      yield { id: value('id'), data: value('data') }
    }
  }
}
