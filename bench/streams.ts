import { request, type IncomingMessage, type RequestOptions } from 'node:http'
import { ZundProcess } from '../packages/server/test/support/zund-process.ts'
import type { Figure } from './support/bench.ts'
import { median } from './support/statistics.ts'

export const name = 'streams'
export const description = 'a followed log and an archive, beside those of the engine'
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
      const rates: { engine: number; ours: number }[] = []
      for (let round = 0; round <= ROUNDS; round += 1) {
        signal.throwIfAborted()
        const pair = { engine: await rate(engine, bytes), ours: await rate(ours, bytes) }
        if (round > 0) rates.push(pair)
      }
      const [theirs, mine] = [median(rates.map((r) => r.engine)), median(rates.map((r) => r.ours))]
      figures.push(
        { what: `${what}, raw engine, median`, value: theirs, unit: 'MiB/s' },
        { what: `${what}, ours, median`, value: mine, unit: 'MiB/s' },
        { what: `${what}, ours to raw`, value: mine / theirs, unit: 'x', aim: { atLeast: 0.7 } },
      )
    }
    return figures
  } finally {
    await zund.destroy()
  }
}

/** MiB a second, until so many bytes have come. */
async function rate(options: RequestOptions, bytes: number): Promise<number> {
  const start = performance.now()
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    request({ ...options, agent: false }, resolve)
      .on('error', reject)
      .end()
  })
  if (answer.statusCode !== 200) throw new Error(`${options.path} answered ${answer.statusCode}`)
  let received = 0
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    received += chunk.length
    if (received >= bytes) break
  }
  answer.destroy()
  return bytes / MIB / ((performance.now() - start) / 1000)
}
