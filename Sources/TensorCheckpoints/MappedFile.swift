import Foundation

/// A file's bytes, mapped into memory: pages are read as they are touched, and can be given back.
///
/// The mapping lives as long as the object. Changing the file meanwhile changes the bytes; cutting it short ends the
/// program when a page that is gone is touched: files are to be replaced by renaming, as ``CheckpointWriter`` does.
package final class MappedFile: Sendable {
  package let path: String
  nonisolated(unsafe) package let bytes: UnsafeRawBufferPointer
  let isFile: Bool

  /// Maps the file at `path`; an empty file has no bytes.
  package init(path: String) throws(CheckpointError) {
    self.path = path
    isFile = true
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw Self.error(path, "open") }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw Self.error(path, "read") }
    guard status.st_mode & S_IFMT == S_IFREG else {
      throw .file(path: path, operation: "read", reason: "not a regular file")
    }
    let size = Int(status.st_size)
    guard size > 0 else {
      bytes = UnsafeRawBufferPointer(start: nil, count: 0)
      return
    }
    guard let start = mmap(nil, size, PROT_READ, MAP_PRIVATE, descriptor, 0), start != MAP_FAILED
    else { throw Self.error(path, "map") }
    bytes = UnsafeRawBufferPointer(start: start, count: size)
  }

  /// Memory of `count` bytes of no file, which `fill` writes: what stands in `path` in another form.
  package init(
    path: String, count: Int, fill: (UnsafeMutableRawBufferPointer) throws(CheckpointError) -> Void
  ) throws(CheckpointError) {
    self.path = path
    isFile = false
    guard count > 0 else {
      bytes = UnsafeRawBufferPointer(start: nil, count: 0)
      return
    }
    let flags = MAP_PRIVATE | MAP_ANONYMOUS
    guard let start = mmap(nil, count, PROT_READ | PROT_WRITE, flags, -1, 0), start != MAP_FAILED
    else { throw Self.error(path, "take \(count) bytes of memory") }
    bytes = UnsafeRawBufferPointer(start: start, count: count)
    try fill(UnsafeMutableRawBufferPointer(start: start, count: count))
  }

  /// The bytes of a file that is in memory already; `path` is for messages.
  package convenience init(path: String, contents: [UInt8]) throws(CheckpointError) {
    try self.init(path: path, count: contents.count) { $0.copyBytes(from: contents) }
  }

  deinit {
    if let start = bytes.baseAddress {
      munmap(UnsafeMutableRawPointer(mutating: start), bytes.count)
    }
  }

  /// Tells the system that all of the file will be read soon.
  package func willRead() {
    advise(0..<bytes.count, MADV_WILLNEED)
  }

  /// Gives back the memory of the whole pages in `part`, which is in ``bytes``; they are read anew when touched again.
  package func release(_ part: UnsafeRawBufferPointer) {
    guard isFile, let start = bytes.baseAddress, let first = part.baseAddress else { return }
    let page = Int(getpagesize())
    let offset = first - start
    let end = offset + part.count
    let firstPage = (offset + page - 1) / page * page
    let lastPage = end == bytes.count ? end : end / page * page
    if firstPage < lastPage { advise(firstPage..<lastPage, MADV_DONTNEED) }
  }

  private func advise(_ range: Range<Int>, _ advice: Int32) {
    guard let start = bytes.baseAddress else { return }
    madvise(UnsafeMutableRawPointer(mutating: start + range.lowerBound), range.count, advice)
  }

  static func error(_ path: String, _ operation: String) -> CheckpointError {
    .file(path: path, operation: operation, reason: String(cString: strerror(errno)))
  }
}
