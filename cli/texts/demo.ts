/** The demonstration. */
import type { Pairs } from './pairs.ts'

export const demoTexts = {
  'demo.about': [
    'Make products and customers, place a stream of orders, see every one end, check the books',
    'Crear productos y clientes, hacer muchos pedidos, ver cómo acaba cada uno y revisar las cuentas',
  ],
  'demo.orders': ['How many orders', 'Cuántos pedidos'],
  'demo.concurrency': ['How many are placed at the same time', 'Cuántos se hacen a la vez'],
  'demo.seed': [
    'Chooses who orders what; the same seed, the same orders',
    'Elige quién pide qué; misma semilla, mismos pedidos',
  ],
  'demo.customers': [
    'How many customers (default: one for 20 orders)',
    'Cuántos clientes (por defecto: uno por cada 20 pedidos)',
  ],
  'demo.products': ['How many products; every fifth is scarce', 'Cuántos productos; uno de cada cinco escasea'],
  'demo.preparing': [
    'Preparing {products} products and {customers} customers (run {run}, seed {seed}) …',
    'Preparando {products} productos y {customers} clientes (vuelta {run}, semilla {seed}) …',
  ],
  'demo.bar.accepted': ['accepted', 'aceptados'],
  'demo.bar.ended': ['ended', 'acabados'],
  'demo.bar.away': ['server away for {seconds} s, waiting', 'servidor ausente {seconds} s, esperando'],
  'demo.stalled': [
    'No order ended for {seconds} s: not waiting any longer. {open} are still on their way.',
    'Ningún pedido ha acabado en {seconds} s: no se espera más. {open} siguen en camino.',
  ],
  'demo.auditing': ['Checking the books …', 'Revisando las cuentas …'],
  'demo.accepted': ['Accepted', 'Aceptados'],
  'demo.refused': ['Refused', 'Rechazados'],
  'demo.completed': ['Completed', 'Completados'],
  'demo.cancelled': ['Cancelled', 'Cancelados'],
  'demo.open': ['Still on their way', 'Todavía en camino'],
  'demo.placing': ['Placing took', 'Hacerlos llevó'],
  'demo.time': ['Until the last one ended', 'Hasta que acabó el último'],
  'demo.latency': ['From accepted to ended', 'De aceptado a acabado'],
  'demo.perSecond': ['{rate} orders/s', '{rate} pedidos/s'],
  'demo.percentiles': ['p50 {p50} · p95 {p95} · longest {max}', 'p50 {p50} · p95 {p95} · el más largo {max}'],
  'demo.retries': ['Asked again', 'Peticiones repetidas'],
  'demo.retriesText': [
    '{retries} times, {replayed} answered from memory',
    '{retries} veces, {replayed} respondidas de memoria',
  ],
  'demo.books': ['Books', 'Cuentas'],
  'demo.booksOk': ['ok: nothing lost, nothing doubled', 'bien: nada perdido, nada doblado'],
  'demo.booksWrong': ['WRONG, see “npx cauce audit”', 'MAL, mira «npx cauce audit»'],
  'demo.booksUnknown': ['not checked', 'sin revisar'],
} as const satisfies Pairs
