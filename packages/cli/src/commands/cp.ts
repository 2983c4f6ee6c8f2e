import { lstatSync, statSync } from 'node:fs'
import { basename, dirname, posix } from 'node:path'
import type { Api } from '../api.ts'
import type { Command } from '../args/command.ts'
import type { Parsed } from '../args/parse.ts'
import { complain, write, type Context } from '../context.ts'
import { codeOf, EXIT, Failure, Misuse } from '../failures.ts'
import { Progress } from '../output/progress.ts'
import { download, isDirectory, statOf, upload } from '../tar/archive.ts'
import { bytes } from '../words.ts'

export const cp: Command = {
  name: 'cp',
  about: 'Copies files, directories and links, with modes and owners, to a container or from it',
  operands: 'SOURCE DESTINATION',
  count: [2, 2],
  completes: 'containers',
  options: { quiet: { short: 'q', about: 'no progress' } },
  more: `One of the two is CONTAINER:/PATH, the other a path of this machine, or - for a tar archive: on standard output of what
is in the container, or on standard input to be unpacked in a directory of it. A destination that is a directory gets the
source under its own name, one that is not there is what the source is called then. SOURCE/. is what is in a directory.`,
  run: copy,
}

interface Place {
  readonly ident: string
  readonly path: string
}

async function copy(args: Parsed, context: Context): Promise<number> {
  const [source, destination] = [args.operand(0), args.operand(1)]
  const [from, to] = [placeOf(source), placeOf(destination)]
  if ((from === null) === (to === null)) {
    throw new Misuse('cp needs CONTAINER:/PATH on exactly one side; ./a:b is a path of this machine')
  }
  const api = await context.api()
  const progress = new Progress(args.has('quiet') ? { ...context, env: { TERM: 'dumb' } } : context)
  try {
    if (from !== null) await fetch(api, context, from, destination, progress)
    else if (to !== null) await bring(api, context, source, to, progress)
  } finally {
    progress.clear()
  }
  return EXIT.ok
}

/** null: a path of this machine, which may have a colon behind a slash. */
function placeOf(text: string): Place | null {
  const [, ident, path] = /^([^/:.][^/:]*):(.*)$/s.exec(text) ?? []
  if (ident === undefined || path === undefined) return null
  if (path === '') throw new Misuse(`'${text}' has no path behind the colon`)
  return { ident, path: path.startsWith('/') ? path : `/${path}` }
}

async function fetch(api: Api, context: Context, from: Place, to: string, progress: Progress): Promise<void> {
  const uuid = await api.uuidOf(from.ident)
  const contents = from.path.endsWith('/.')
  const { stat, tar } = await download(api, uuid, contents ? from.path.slice(0, -1) : from.path)
  if (to === '-') {
    if (context.stdout.isTTY) throw new Failure('an archive is not shown on a terminal; send it to a file or a program')
    for await (const chunk of tar as AsyncIterable<Buffer>) await write(context.stdout, chunk)
    return
  }
  if (contents && !isDirectory(stat)) throw new Failure(`${from.path} is no directory`)
  const { extractTo } = await import('../tar/extract.ts')
  const total = isDirectory(stat) ? undefined : stat.size
  const name = basename(stat.name) === '' || stat.name === '/' ? 'root' : basename(stat.name)
  await extractTo(tar, targetOf(to, name, contents, isDirectory(stat)), (done) =>
    progress.bar(`${from.ident}:${from.path}`, done, total, bytes),
  )
}

function targetOf(
  to: string,
  name: string,
  contents: boolean,
  directory: boolean,
): { directory: string; name: string | null } {
  const kind = localKind(to)
  if (kind === 'directory') return { directory: to, name: contents ? null : name }
  if (kind === 'file' && directory) throw new Failure(`${to} is no directory`)
  if (kind === 'nothing' && to.endsWith('/') && !directory) throw new Failure(`there is no directory ${to}`)
  if (localKind(dirname(to)) !== 'directory') throw new Failure(`there is no directory ${dirname(to)}`)
  return { directory: dirname(to), name: basename(to) }
}

function localKind(path: string): 'nothing' | 'directory' | 'file' {
  try {
    return statSync(path).isDirectory() ? 'directory' : 'file'
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return 'nothing'
    throw new Failure(`${path}: ${codeOf(error)}`, EXIT.failed, { cause: error })
  }
}

async function bring(api: Api, context: Context, source: string, to: Place, progress: Progress): Promise<void> {
  const uuid = await api.uuidOf(to.ident)
  if (source === '-') return await upload(api, uuid, to.path, context.stdin)
  const { pack, sizeOf } = await import('../tar/pack.ts')
  const contents = /(^|\/)\.$/.test(source)
  let directory: boolean
  try {
    directory = lstatSync(source).isDirectory()
  } catch (error) {
    throw new Failure(`${source} cannot be read: ${codeOf(error)}`, EXIT.failed, { cause: error })
  }
  const place = await placeFor(api, uuid, to, { directory, contents, name: basename(source) })
  const total = sizeOf(source)
  const leftOut: string[] = []
  const tar = pack(source, {
    name: place.name,
    progress: (done) => progress.bar(source, done, total, bytes),
    leftOut: (path) => leftOut.push(path),
  })
  await upload(api, uuid, place.directory, tar)
  progress.clear()
  for (const path of leftOut) await complain(context, `${path} is neither file, directory nor link, and was left out`)
}

interface Source {
  readonly directory: boolean
  readonly contents: boolean
  readonly name: string
}

async function placeFor(
  api: Api,
  uuid: string,
  to: Place,
  source: Source,
): Promise<{ directory: string; name: string }> {
  const path = to.path.length > 1 ? to.path.replace(/\/+$/, '') : to.path
  const there = await statOf(api, uuid, path)
  if (there !== null && isDirectory(there)) return { directory: path, name: source.contents ? '.' : source.name }
  if (there !== null && source.directory) throw new Failure(`${to.ident}:${to.path} is no directory`)
  if (there === null && to.path.endsWith('/') && !source.directory)
    throw new Failure(`there is no directory ${to.ident}:${to.path}`)
  const parent = posix.dirname(path)
  const above = await statOf(api, uuid, parent)
  if (above === null || !isDirectory(above)) throw new Failure(`there is no directory ${to.ident}:${parent}`)
  return { directory: parent, name: posix.basename(path) }
}
