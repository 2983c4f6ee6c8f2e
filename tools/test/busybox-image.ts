import { spawnSync } from 'node:child_process'
import {
  chmodSync,
  copyFileSync,
  createReadStream,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { staticBusybox } from './needs.ts'
import { run } from './run.ts'

const IMPORT_TIMEOUT_MS = 60_000

/** Makes the image busybox:latest (command: sh) in an engine, from the machine's static busybox and nothing else. */
export async function importBusybox(socketPath: string, o: { signal: AbortSignal }): Promise<void> {
  const signal = AbortSignal.any([o.signal, AbortSignal.timeout(IMPORT_TIMEOUT_MS)])
  const scratch = mkdtempSync(join(tmpdir(), 'zund-image-'))
  try {
    const tree = join(scratch, 'tree')
    makeBusyboxTree(tree)
    const tar = join(scratch, 'tar')
    await run(['tar', '-C', tree, '--owner=0', '--group=0', '-cf', tar, '.'], { signal })
    await importTar(socketPath, tar, signal)
  } finally {
    rmSync(scratch, { recursive: true, force: true })
  }
}

/** The root of a filesystem with all that busybox can be. */
export function makeBusyboxTree(tree: string): void {
  const busybox = staticBusybox()
  if (busybox === undefined) throw new Error('there is no static busybox to make the test image of')
  for (const name of ['bin', 'dev', 'etc', 'home', 'proc', 'root', 'sys', 'tmp', 'var']) {
    mkdirSync(join(tree, name), { recursive: true })
  }
  chmodSync(join(tree, 'tmp'), 0o1777)
  writeFileSync(join(tree, 'etc/passwd'), 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/home:/bin/sh\n')
  writeFileSync(join(tree, 'etc/group'), 'root:x:0:\nnogroup:x:65534:\n')
  copyFileSync(busybox, join(tree, 'bin/busybox'))
  chmodSync(join(tree, 'bin/busybox'), 0o755)
  const applets = spawnSync(busybox, ['--list'], { encoding: 'utf8' }).stdout.split('\n')
  for (const applet of applets) {
    if (applet !== '' && basename(applet) !== 'busybox') symlinkSync('busybox', join(tree, 'bin', basename(applet)))
  }
}

async function importTar(socketPath: string, tar: string, signal: AbortSignal): Promise<void> {
  const query = new URLSearchParams({ fromSrc: '-', repo: 'busybox', tag: 'latest', changes: 'CMD ["sh"]' })
  const said = await new Promise<string>((resolve, reject) => {
    const req = request(
      { socketPath, method: 'POST', path: `/images/create?${query.toString()}`, headers: { Host: 'engine' }, signal },
      (response) => {
        let text = ''
        response.setEncoding('utf8').on('data', (piece: string) => (text += piece))
        response.on('end', () => resolve(`${response.statusCode} ${text}`))
        response.on('error', reject)
      },
    )
    req.on('error', reject)
    pipeline(createReadStream(tar), req).catch(reject)
  })
  if (!said.startsWith('200') || said.includes('"error"'))
    throw new Error(`the engine did not import the image: ${said}`)
}
