// What is in the tarball and not in the repository's folder of it: the module,
// the licence, the declarations.
import { execFileSync } from 'node:child_process'
import { copyFileSync, rmSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
for (const [from, to] of [['../wasm/turn.wasm', 'turn.wasm'], ['../LICENSE', 'LICENSE']]) copyFileSync(root + from, root + to)
rmSync(`${root}types`, { recursive: true, force: true })
execFileSync(process.execPath, [`${root}node_modules/typescript/bin/tsc`, '-p', 'tsconfig.build.json'], { cwd: root, stdio: 'inherit' })
