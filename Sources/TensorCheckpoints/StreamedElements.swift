import Foundation
import Synchronization
import TensorCore

extension StoredElements {
  /// The elements as a tensor of type `dtype` that takes no memory between uses: in the mapped file where they are there
  /// as they are to be, else in a range of addresses that each use fills.
  ///
  /// - Parameters:
  ///   - shape: the tensor's shape.
  ///   - rearranging: what makes the tensor of the one in the file; `nil` where it is the same.
  /// - Returns: `nil` where the elements are in no file, and so in memory anyway.
  package func streamed(
    as dtype: DType, shape: [Int], rearranging: (@Sendable (Tensor) -> Tensor)? = nil
  ) -> Tensor? {
    guard let file = mappedFile, let start = bytes.baseAddress, entry.count > 0,
      entry.type.dtype != nil || entry.type.quantization != nil
    else { return nil }
    if rearranging == nil, isStored(as: dtype) {
      return Tensor(
        foreign: start, shape: shape, dtype: dtype, owner: MappedWeight(bytes, in: file))
    }
    let size = dtype.byteCount(of: entry.count)
    guard
      let weight = FilledWeight(
        byteCount: size,
        fill: { target in
          guard let stored = try? self.tensor() else {
            misuse("streamed", "\(quoted(self.entry.name)) cannot be read again")
          }
          let tensor = (rearranging.map { $0(stored) } ?? stored).converted(to: dtype)
          tensor.withBytes { bytes in
            if let first = bytes.baseAddress { target.copyMemory(from: first, byteCount: size) }
          }
          self.releasePages()
        })
    else { return nil }
    return Tensor(foreign: weight.start, shape: shape, dtype: dtype, owner: weight)
  }
}

/// A weight in a mapped file, whose pages are given back after each use.
private final class MappedWeight: StreamedMemory {
  private let file: MappedFile
  nonisolated(unsafe) private let bytes: UnsafeRawBufferPointer

  init(_ bytes: UnsafeRawBufferPointer, in file: MappedFile) {
    self.bytes = bytes
    self.file = file
  }

  func load() {}
  func beginUse() {}
  /// Pages that another use still reads come back from the file.
  func endUse() { file.release(bytes) }
}

/// A weight that each use makes anew in a range of addresses of its own.
private final class FilledWeight: StreamedMemory {
  nonisolated(unsafe) let start: UnsafeMutableRawPointer
  private let byteCount: Int
  private let fill: @Sendable (UnsafeMutableRawPointer) -> Void
  private let state = Mutex((users: 0, isPresent: false))

  init?(byteCount: Int, fill: @escaping @Sendable (UnsafeMutableRawPointer) -> Void) {
    let flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE
    guard let start = mmap(nil, byteCount, PROT_READ | PROT_WRITE, flags, -1, 0),
      start != MAP_FAILED
    else { return nil }
    self.start = start
    self.byteCount = byteCount
    self.fill = fill
  }

  deinit { munmap(start, byteCount) }

  func load() {
    state.withLock { state in
      if state.isPresent { return }
      fill(start)
      state.isPresent = true
    }
  }

  func beginUse() {
    state.withLock { $0.users += 1 }
    load()
  }

  func endUse() {
    state.withLock { state in
      state.users -= 1
      if state.users > 0 { return }
      state.isPresent = false
      madvise(start, byteCount, MADV_DONTNEED)
    }
  }
}
