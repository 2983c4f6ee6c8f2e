import { mkdirSync, writeFileSync } from 'node:fs'
import { command } from '../commands.ts'
import { accepts, startDaemon } from '../daemons.ts'
import { CONTROLLER, NFS_EXPORT, type Places } from '../places.ts'

/** An NFS server without a part in the kernel; Cinder keeps its volumes there, as files. */
export async function startNfs(places: Places): Promise<void> {
  const shared = places.data('nfs', 'export')
  const recovery = places.data('nfs', 'recovery')
  for (const directory of [shared, recovery]) mkdirSync(directory, { recursive: true })
  const file = places.etc('ganesha.conf')
  writeFileSync(
    file,
    `NFS_CORE_PARAM {
  Protocols = 3, 4;
  NFS_Port = 2049;
  MNT_Port = 20048;
  Enable_NLM = false;
  Enable_RQUOTA = false;
  mount_path_pseudo = true;
}
NFSV4 { Graceless = true; RecoveryRoot = "${recovery}"; Only_Numeric_Owners = true; }
EXPORT {
  Export_Id = 1;
  Path = "${shared}";
  Pseudo = "${NFS_EXPORT.path}";
  Protocols = 3, 4;
  Transports = TCP;
  Access_Type = RW;
  Squash = No_Root_Squash;
  SecType = sys;
  Disable_ACL = true;
  FSAL { Name = VFS; }
}
`,
  )
  const mapper = startDaemon(places, { name: 'rpcbind', argv: ['rpcbind', '-f'] })
  await mapper.ready(async () => accepts('127.0.0.1', 111))
  const server = startDaemon(places, {
    name: 'nfs-ganesha',
    argv: ['ganesha.nfsd', '-F', '-f', file, '-L', places.log('nfs-ganesha'), '-p', places.data('nfs', 'pid')],
  })
  await server.ready(
    async () => (await accepts(CONTROLLER.address, 2049)) && (await accepts(CONTROLLER.address, 20_048)),
  )
}

/** A kernel without an NFS client gets one that works through FUSE; mount(8) finds it where it looks for its own. */
export async function buildMountProgram(places: Places, source: string, target: string): Promise<void> {
  const flags = (await command(places, ['pkg-config', '--cflags', '--libs', 'fuse3', 'libnfs'])).trim().split(/\s+/)
  await command(places, ['gcc', '-O2', '-Wall', '-Wextra', '-o', target, source, ...flags])
}
