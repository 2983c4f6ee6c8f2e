/** Archives of a container's files, through the service: as they stream where it has streams, else whole. */
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import type { Archive } from '@zund/client'
import type { Api } from '../api.ts'
import { Failure, Refused } from '../failures.ts'
import { field } from '../http.ts'

export interface PathStat {
  readonly name: string
  readonly size: number
  /** Of Go: see the bits below. */
  readonly mode: number
  readonly linkTarget: string
}

const DIRECTORY = 2 ** 31
const SYMLINK = 2 ** 27

export function isDirectory({ mode }: PathStat): boolean {
  return mode >= DIRECTORY
}

function isSymlink({ mode }: PathStat): boolean {
  return Math.floor(mode / SYMLINK) % 2 === 1
}

export interface Download {
  readonly stat: PathStat
  readonly tar: Readable
}

export async function download(api: Api, uuid: string, path: string): Promise<Download> {
  const query = { path }
  if (!api.has('streams')) {
    const { stat, data } = await api.call<Archive>('GET', `containers/${uuid}/get_archive`, { query })
    return { stat, tar: Readable.from([Buffer.from(data, 'base64')]) }
  }
  const headers = { accept: 'application/x-tar' }
  const answer = await api.open('GET', `containers/${uuid}/get_archive`, { query, headers, timeoutMs: 0 })
  return { stat: readStat(String(answer.headers['x-docker-container-path-stat'])), tar: answer }
}

function readStat(encoded: string): PathStat {
  const told: unknown = JSON.parse(Buffer.from(encoded, 'base64').toString('utf8'))
  const link = field(told, 'linkTarget')
  return {
    name: String(field(told, 'name')),
    size: Number(field(told, 'size')),
    mode: Number(field(told, 'mode')),
    linkTarget: typeof link === 'string' ? link : '',
  }
}

/** What is at a path, behind links; null: nothing. */
export async function statOf(api: Api, uuid: string, path: string, links = 0): Promise<PathStat | null> {
  let found: Download
  try {
    found = await download(api, uuid, path)
  } catch (error) {
    // The service says 400 of a path that is not there. If it was something else, the upload will say so.
    if (error instanceof Refused && [400, 404].includes(error.status)) return null
    throw error
  }
  found.tar.on('error', () => undefined).destroy()
  const { stat } = found
  if (!isSymlink(stat) || links > 8 || stat.linkTarget === '') return stat
  return await statOf(api, uuid, stat.linkTarget, links + 1)
}

export async function upload(api: Api, uuid: string, directory: string, tar: Readable): Promise<void> {
  const query = { path: directory }
  const path = `containers/${uuid}/put_archive`
  if (api.has('streams')) {
    let used = false
    const body = (): Readable => {
      // What has been read of a pipe cannot be read again.
      if (used) throw new Failure('the login was over; try again')
      used = true
      return tar
    }
    await api.call('PUT', path, { query, body, headers: { 'content-type': 'application/x-tar' }, timeoutMs: 0 })
    return
  }
  await api.call('POST', path, { json: { path: directory, data: (await buffer(tar)).toString('base64') } })
}
