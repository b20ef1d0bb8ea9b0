import CTensorKernels
import Synchronization

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// The engine's own threads: they wait for one job at a time and take its tiles one by one.
///
/// A job within a job, or one that comes while another caller's runs, is done by its caller alone, so there is
/// never a dead lock nor more running threads than ``Backend/threads`` asks for.
final class WorkerPool: @unchecked Sendable {
  static let shared = WorkerPool()

  private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
  private let wake = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
  private let finished = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
  private let busy = Atomic<Bool>(false)
  private let generation = Atomic<Int>(0)
  private let nextTile = Atomic<Int>(0)
  private let running = Atomic<Int>(0)
  // Written by the caller that holds `busy`, before `generation` is raised under the mutex.
  private var workers = 0
  private var participants = 0
  private var tiles = 0
  private var body: UnsafePointer<(Int) -> Void>?

  private init() {
    pthread_mutex_init(mutex, nil)
    pthread_cond_init(wake, nil)
    pthread_cond_init(finished, nil)
  }

  /// Calls `body` once for every tile in `0..<count`, on up to `threads` threads, and returns when all are done.
  func run(_ count: Int, threads: Int, _ body: (Int) -> Void) {
    let helpers = min(threads, count) - 1
    guard helpers > 0,
      busy.compareExchange(expected: false, desired: true, ordering: .acquiring).exchanged
    else {
      for tile in 0..<count { body(tile) }
      return
    }
    withoutActuallyEscaping(body) { body in
      withUnsafePointer(to: body) { body in
        start(helpers, count, body)
        drain(count, body)
        waitForWorkers()
        self.body = nil
      }
    }
    busy.store(false, ordering: .releasing)
  }

  private func start(_ helpers: Int, _ count: Int, _ body: UnsafePointer<(Int) -> Void>) {
    pthread_mutex_lock(mutex)
    while workers < helpers { addWorker() }
    participants = helpers
    tiles = count
    self.body = body
    nextTile.store(0, ordering: .relaxed)
    running.store(workers, ordering: .relaxed)
    generation.add(1, ordering: .releasing)
    pthread_cond_broadcast(wake)
    pthread_mutex_unlock(mutex)
  }

  /// Not inlined, so that no reference to the body outlives the call.
  @inline(never)
  private func drain(_ count: Int, _ body: UnsafePointer<(Int) -> Void>) {
    while true {
      let tile = nextTile.add(1, ordering: .relaxed).oldValue
      if tile >= count { return }
      body.pointee(tile)
    }
  }

  private func waitForWorkers() {
    for _ in 0..<Self.spins where running.load(ordering: .acquiring) != 0 { tk_pause() }
    if running.load(ordering: .acquiring) == 0 { return }
    pthread_mutex_lock(mutex)
    while running.load(ordering: .acquiring) != 0 { pthread_cond_wait(finished, mutex) }
    pthread_mutex_unlock(mutex)
  }

  /// Turns of waiting before a thread sleeps, some 50 microseconds: waking it costs about as much, and most operations
  /// follow one another sooner.
  private static let spins = 4000

  private func addWorker() {
    let index = workers
    workers += 1
    let seen = generation.load(ordering: .relaxed)
    let start = WorkerStart(pool: self, index: index, generation: seen)
    #if canImport(Glibc)
      var thread = pthread_t()
      let status = pthread_create(
        &thread, nil,
        { argument in
          if let argument { WorkerStart.take(argument).run() }
          return nil
        }, Unmanaged.passRetained(start).toOpaque())
    #else
      var thread: pthread_t?
      let status = pthread_create(
        &thread, nil,
        { argument in
          WorkerStart.take(argument).run()
          return nil
        }, Unmanaged.passRetained(start).toOpaque())
    #endif
    require(status == 0, "threads", "the system starts no more threads; lower TENSOR_THREADS")
  }

  fileprivate func work(index: Int, after generation: Int) {
    var seen = generation
    while true {
      for _ in 0..<Self.spins where self.generation.load(ordering: .acquiring) == seen {
        tk_pause()
      }
      pthread_mutex_lock(mutex)
      while self.generation.load(ordering: .acquiring) == seen { pthread_cond_wait(wake, mutex) }
      seen = self.generation.load(ordering: .acquiring)
      let job = index < participants ? body : nil
      let count = tiles
      pthread_mutex_unlock(mutex)
      if let job { drain(count, job) }
      if running.subtract(1, ordering: .releasing).newValue == 0 {
        pthread_mutex_lock(mutex)
        pthread_cond_signal(finished)
        pthread_mutex_unlock(mutex)
      }
    }
  }
}

/// What a new thread is told.
private final class WorkerStart {
  let pool: WorkerPool
  let index: Int
  let generation: Int

  init(pool: WorkerPool, index: Int, generation: Int) {
    self.pool = pool
    self.index = index
    self.generation = generation
  }

  static func take(_ address: UnsafeMutableRawPointer) -> WorkerStart {
    Unmanaged<WorkerStart>.fromOpaque(address).takeRetainedValue()
  }

  func run() { pool.work(index: index, after: generation) }
}
