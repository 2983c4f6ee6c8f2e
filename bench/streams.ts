import { request, type IncomingMessage, type RequestOptions } from 'node:http'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { ZundProcess } from '../packages/server/test/support/zund-process.ts'
import type { Figure } from './support/bench.ts'
import { median } from './support/statistics.ts'

export const name = 'streams'
export const description = 'a followed log, and archives both ways, beside those of the engine'
export const needs = ['engine'] as const

const ROUNDS = 5
const MIB = 1024 * 1024
const LOG_MIB = 20
const FILE_MIB = 100

export async function run({ signal }: { signal: AbortSignal }): Promise<Figure[]> {
  const zund = await ZundProcess.start({ conf: '[zund]\nlog_max_size = 1g\n' })
  try {
    const client = (await zund.client()).unchecked()
    const line = 'x'.repeat(127)
    const script = `head -c ${FILE_MIB * MIB} /dev/zero > /tmp/file; yes ${line} | head -c ${LOG_MIB * MIB}; touch /tmp/done; sleep 1000`
    const { uuid } = await client.run({ command: ['sh', '-c', script], nets: [] })
    const ready = "sh -c 'while [ ! -e /tmp/done ]; do sleep 0.1; done'"
    for (let written = false; !written; ) {
      signal.throwIfAborted()
      written =
        (await client.call('POST', `/v1/containers/${uuid}/execute`, { body: { command: ready } })).status === 200
    }
    const headers = { 'x-auth-token': client.token, 'openstack-api-version': 'container 1.40' }
    const socketPath = zund.engine.socketPath
    const api = { host: '127.0.0.1', port: zund.apiPort }
    const container = `/containers/zun-${uuid}`
    const pairs = {
      log: {
        engine: { socketPath, path: `${container}/logs?follow=true&stdout=true&stderr=true` },
        ours: { ...api, headers, path: `/v1${container.replace('zun-', '')}/logs?follow=true` },
        bytes: LOG_MIB * MIB,
      },
      archive: {
        engine: { socketPath, path: `${container}/archive?path=/tmp/file` },
        ours: {
          ...api,
          headers: { ...headers, accept: 'application/x-tar' },
          path: `/v1${container.replace('zun-', '')}/get_archive?path=/tmp/file`,
        },
        bytes: FILE_MIB * MIB,
      },
    }
    const figures: Figure[] = []
    for (const [what, { engine, ours, bytes }] of Object.entries(pairs)) {
      figures.push(
        ...(await compared(what, { engine: () => rate(engine, bytes), ours: () => rate(ours, bytes) }, signal)),
      )
    }
    const tar = await tarOf(pairs.archive.engine)
    const engine = {
      socketPath,
      path: `${container}/archive?path=/tmp`,
      headers: { 'content-type': 'application/x-tar' },
    }
    const ours = {
      ...api,
      headers: { ...headers, 'content-type': 'application/x-tar' },
      path: `/v1${container.replace('zun-', '')}/put_archive?path=/tmp`,
    }
    const pair = { engine: () => uploadRate(engine, tar), ours: () => uploadRate(ours, tar) }
    return [...figures, ...(await compared('upload', pair, signal))]
  } finally {
    await zund.destroy()
  }
}

type Pair = Readonly<Record<'engine' | 'ours', () => Promise<number>>>

async function compared(what: string, pair: Pair, signal: AbortSignal): Promise<Figure[]> {
  const rates: { engine: number; ours: number }[] = []
  for (let round = 0; round <= ROUNDS; round += 1) {
    signal.throwIfAborted()
    const both = { engine: await pair.engine(), ours: await pair.ours() }
    if (round > 0) rates.push(both)
  }
  const [theirs, mine] = [median(rates.map((r) => r.engine)), median(rates.map((r) => r.ours))]
  return [
    { what: `${what}, raw engine, median`, value: theirs, unit: 'MiB/s' },
    { what: `${what}, ours, median`, value: mine, unit: 'MiB/s' },
    { what: `${what}, ours to raw`, value: mine / theirs, unit: 'x', aim: { atLeast: 0.7 } },
  ]
}

async function tarOf(options: RequestOptions): Promise<Buffer> {
  const answer = await answerOf(options)
  const parts: Buffer[] = []
  for await (const part of answer as AsyncIterable<Buffer>) parts.push(part)
  return Buffer.concat(parts)
}

/** MiB a second, until it is unpacked. */
async function uploadRate(options: RequestOptions, tar: Buffer): Promise<number> {
  const start = performance.now()
  const status = await new Promise<number | undefined>((resolve, reject) => {
    const sent = request({ ...options, method: 'PUT', agent: false }, (answer) => {
      answer.resume()
      resolve(answer.statusCode)
    })
    sent.on('error', reject)
    pipeline(piecesOf(tar), sent).catch(reject)
  })
  if (status !== 200) throw new Error(`${options.path} answered ${status}`)
  return tar.length / MIB / ((performance.now() - start) / 1000)
}

function piecesOf(tar: Buffer): Readable {
  const size = 64 * 1024
  return Readable.from(
    (function* pieces() {
      for (let at = 0; at < tar.length; at += size) yield tar.subarray(at, at + size)
    })(),
  )
}

async function answerOf(options: RequestOptions): Promise<IncomingMessage> {
  return await new Promise<IncomingMessage>((resolve, reject) => {
    request({ ...options, agent: false }, resolve)
      .on('error', reject)
      .end()
  })
}

/** MiB a second, until so many bytes have come. */
async function rate(options: RequestOptions, bytes: number): Promise<number> {
  const start = performance.now()
  const answer = await answerOf(options)
  if (answer.statusCode !== 200) throw new Error(`${options.path} answered ${answer.statusCode}`)
  let received = 0
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    received += chunk.length
    if (received >= bytes) break
  }
  answer.destroy()
  return bytes / MIB / ((performance.now() - start) / 1000)
}
