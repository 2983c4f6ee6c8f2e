import { setTimeout as sleep } from 'node:timers/promises'
import type { Host, Image } from '@zund/client'
import type { Api } from '../api.ts'
import { FORMAT, type Command } from '../args/command.ts'
import { say, type Context } from '../context.ts'
import { EXIT, Failure, Misuse } from '../failures.ts'
import { printList } from '../output/print.ts'
import { Progress } from '../output/progress.ts'
import { followPull, openPull } from '../image-events.ts'
import { bytes } from '../words.ts'

export const images: Command = {
  name: 'images',
  about: 'Lists the images that were pulled or made here',
  operands: '',
  count: [0, 0],
  options: { quiet: { short: 'q', about: 'only uuids' }, ...FORMAT },
  run: async (args, context) => {
    const found = await (await context.api()).list<Image>('images', 'images')
    if (args.has('quiet')) {
      for (const { uuid } of found) await say(context, uuid)
      return EXIT.ok
    }
    await printList(context, args, found, {
      columns: [
        { title: 'UUID', least: 8, of: ({ uuid }) => uuid },
        { title: 'IMAGE', least: 12, of: ({ repo, tag }) => `${repo}:${tag}` },
        { title: 'SIZE', of: ({ size }) => (size === null ? '-' : bytes(Number(size))) },
        { title: 'ID', of: ({ image_id }) => image_id ?? '-' },
      ],
      name: ({ repo, tag }) => `${repo}:${tag}`,
    })
    return EXIT.ok
  },
}

export const pull: Command = {
  name: 'pull',
  about: 'Brings an image to a host, for admins; containers bring theirs by themselves',
  operands: 'IMAGE',
  count: [1, 1],
  options: {
    host: { value: 'HOST', about: 'name or uuid; absent: the only one' },
    'no-wait': { about: 'return when the request is accepted' },
  },
  run: async (args, context) => {
    const api = await context.api()
    const host = args.text('host') ?? (await onlyHost(api))
    const image = args.operand(0)
    const waits = !args.has('no-wait')
    const done = new AbortController()
    const progress = new Progress(context)
    try {
      const signal = AbortSignal.any([context.signal, done.signal])
      // Opened before, so that no end can be missed however soon it comes.
      const told = waits && api.has('events') ? await openPull(api, signal) : undefined
      const { uuid } = await api.call<Image>('POST', 'images', { json: { repo: image, host } })
      if (told !== undefined) await followPull(told, uuid, progress)
      else if (waits) await pulled(api, context, { uuid, image, progress })
      progress.clear()
      await say(context, uuid)
      return EXIT.ok
    } finally {
      done.abort()
      progress.clear()
    }
  },
}

async function onlyHost(api: Api): Promise<string> {
  const hosts = await api.list<Host>('hosts', 'hosts')
  if (hosts.length === 1 && hosts[0] !== undefined) return hosts[0].hostname
  throw new Misuse(`name a host with --host: ${hosts.map(({ hostname }) => hostname).join(', ') || 'there is none'}`)
}

/** Of a service that tells nothing: it has an id when it is there; one that cannot be pulled goes away. */
async function pulled(
  api: Api,
  context: Context,
  { uuid, image, progress }: { uuid: string; image: string; progress: Progress },
): Promise<void> {
  for (let seconds = 0; ; seconds += 0.5) {
    const found = (await api.list<Image>('images', 'images')).find((one) => one.uuid === uuid)
    if (found === undefined) throw new Failure(`${image} could not be pulled`)
    if (found.image_id !== null) return
    progress.show(`pulling ${image} · ${Math.floor(seconds)} s`)
    await sleep(500, undefined, { signal: context.signal })
  }
}

export const commit: Command = {
  name: 'commit',
  about: 'Makes an image of a container, and prints its uuid',
  operands: 'CONTAINER REPOSITORY[:TAG]',
  count: [2, 2],
  completes: 'containers',
  options: {},
  run: async (args, context) => {
    const api = await context.api()
    const [, repository = '', tag] = /^(.+?)(?::([^:/]+))?$/.exec(args.operand(1)) ?? []
    const json = { repository, ...(tag === undefined ? {} : { tag }) }
    const { uuid } = await api.call<{ uuid: string }>(
      'POST',
      `containers/${await api.uuidOf(args.operand(0))}/commit`,
      { json },
    )
    await say(context, uuid)
    return EXIT.ok
  },
}
