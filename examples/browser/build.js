// Puts what a browser gets into one folder: the page, turnwasm and the plots.
//
//	node build.js [FOLDER]

import { cpSync, mkdirSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const here = import.meta.dirname ?? fileURLToPath(new URL('.', import.meta.url))
const out = process.argv[2] ?? join(here, 'build')
const resolve = (name) => fileURLToPath(import.meta.resolve(name))

rmSync(out, { recursive: true, force: true })
mkdirSync(out, { recursive: true })
cpSync(join(here, 'page'), out, { recursive: true })
cpSync(dirname(resolve('turnwasm/web')), join(out, 'turnwasm/src'), { recursive: true })
cpSync(resolve('turnwasm/turn.wasm'), join(out, 'turnwasm/turn.wasm'))
for (const name of ['uPlot.esm.js', 'uPlot.min.css']) cpSync(join(here, 'node_modules/uplot/dist', name), join(out, 'uplot', name))
