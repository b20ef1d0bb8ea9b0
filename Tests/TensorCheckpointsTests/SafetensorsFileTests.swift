import Foundation
import TensorCheckpoints
import TensorCore
import TestSupport
import Testing

@Suite struct SafetensorsFileTests {
  private func golden() throws -> SafetensorsFile {
    try SafetensorsFile(path: Shared.golden.appendingPathComponent("checkpoint.safetensors").path)
  }

  @Test func readsEveryFloatingPointType() throws {
    let file = try golden()
    #expect(file.entries.count == 21)
    let matrix = try file.tensor(named: "weights.0.float32")
    #expect(matrix.shape == [2, 3] && matrix.dtype == .float32)
    #expect(matrix.doubles == [-0.5, -0.25, 0, 0.25, 0.5, 0.75])
    let odd = try file.tensor(named: "weights.10.float32").floats
    #expect(odd.map(\.bitPattern) == [0x7f80_0000, 0x8000_0000, 1])
    let scalar = try file.tensor(named: "weights.2.float32")
    #expect(scalar.shape == [] && scalar.doubles == [3.5])
    #expect(
      try file.tensor(named: "float64").doubles == [1.0 / 3, -Double.leastNonzeroMagnitude])
    let half = try file.tensor(named: "float16")
    #expect(half.dtype == .float16)
    #expect(half.converted(to: .float64).doubles == [1.5, -65504, 0x1p-24])
    let brain = try file.tensor(named: "bfloat16")
    #expect(brain.dtype == .bfloat16)
    #expect(brain.converted(to: .float32).floats.map { $0.bitPattern & 0xffff } == [0, 0, 0])
    #expect(abs(brain.converted(to: .float64).doubles[2] - 0.1) < 1e-3)
    let empty = try file.tensor(named: "empty")
    #expect(empty.shape == [0, 4] && empty.count == 0)
  }

  @Test func readsEveryIntegerType() throws {
    let file = try golden()
    #expect(try file.integers(named: "bool") == [1, 0, 1])
    #expect(try file.integers(named: "uint8") == [0, 255])
    #expect(try file.integers(named: "int8") == [-128, 127])
    #expect(try file.integers(named: "uint16") == [0, 65535])
    #expect(try file.integers(named: "int16") == [-32768, 32767])
    #expect(try file.integers(named: "uint32") == [0, 1 << 32 - 1])
    #expect(try file.integers(named: "int32") == [-1 << 31, 1 << 31 - 1])
    #expect(try file.integers(named: "uint64") == [0, .max])
    #expect(try file.integers(named: "int64") == [.min, .max])
    #expect(file.entry(named: "float8")?.type == .float8e4m3)
    #expect(try file.withBytes(named: "float8") { Array($0) } == [0x38, 0xc0])
  }

  @Test func namesAreTheirBytes() throws {
    let file = try golden()
    #expect(try file.tensor(named: "caf\u{e9}").doubles == [1])
    #expect(try file.tensor(named: "cafe\u{301}").doubles == [2])
    let name = "quote\" slash\\ tab\t bell\u{7} delete\u{7f} emoji\u{1f600}"
    #expect(try file.tensor(named: name).doubles == [3])
    #expect(file.metadata["made by"]?.hasPrefix("safetensors 0.") == true)
    #expect(file.metadata["made by"]?.contains(",\ntorch 2.") == true)
  }

  @Test func tensorsOutliveTheFile() throws {
    let folder = try TemporaryFolder()
    let path = folder.path("a.safetensors")
    var tensor: Tensor?
    do {
      var writer = CheckpointWriter()
      writer.add("a", Tensor([1.0 as Float, 2, 3], shape: [3]))
      try writer.write(to: path)
      let file = try SafetensorsFile(path: path)
      file.willRead()
      tensor = try file.tensor(named: "a")
      try file.releasePages(of: "a")
      // Another file under the same name: the mapping stays with the old one.
      try CheckpointWriter().write(to: path)
    }
    #expect(tensor?.doubles == [1, 2, 3])
  }

  @Test func unalignedTensorsAreCopied() throws {
    let json =
      #"{"b":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"#
      + #""f":{"dtype":"F32","shape":[2],"data_offsets":[1,9]}}"#
    let file = try opened(json, [7, 0, 0, 128, 63, 0, 0, 0, 64])
    #expect(try file.tensor(named: "f").doubles == [1, 2])
  }

  @Test func wrongRequestsAreNamed() throws {
    let file = try golden()
    #expect(throws: CheckpointError.missing(path: file.path, name: "nothing")) {
      try file.tensor(named: "nothing")
    }
    #expect(
      throws: CheckpointError.elementType(
        path: file.path, name: "int8", found: "I8", expected: "F32, F64, F16 or BF16")
    ) { try file.tensor(named: "int8") }
    #expect(
      throws: CheckpointError.elementType(
        path: file.path, name: "float64", found: "F64", expected: "integers")
    ) { try file.integers(named: "float64") }
    let large = try opened(
      #"{"u":{"dtype":"U64","shape":[1],"data_offsets":[0,8]}}"#, [UInt8](repeating: 255, count: 8))
    #expect(throws: CheckpointError.integerRange(path: large.path, name: "u")) {
      try large.integers(named: "u")
    }
    let message = CheckpointError.missing(path: "x", name: "a\u{1b}[1m").description
    #expect(message.hasPrefix(#"x: expected a tensor named "a\u{1B}[1m", found none"#))
  }

  @Test func absentAndForeignFilesAreNamed() throws {
    let folder = try TemporaryFolder()
    let absent = folder.path("absent.safetensors")
    #expect(
      throws: CheckpointError.file(
        path: absent, operation: "open", reason: "No such file or directory")
    ) { try SafetensorsFile(path: absent) }
    #expect(
      throws: CheckpointError.file(
        path: folder.path(""), operation: "read", reason: "not a regular file")
    ) { try SafetensorsFile(path: folder.path("")) }
  }

  /// A header that is refused, and a part of the reason.
  static let refused: [(json: String, data: Int, reason: String)] = [
    (
      #"{"t":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},}"#, 4, "expected a string, found `}`"
    ),
    ("\u{feff}{}", 0, "expected `{`"),
    ("{}x", 0, "expected the end, found `x`"),
    (#"{"t":{"dtype":"F32","dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#, 4, "`dtype` twice"),
    (#"{"__metadata__":{},"__metadata__":{}}"#, 0, "`__metadata__` twice"),
    (#"{"__metadata__":{"a":1}}"#, 0, "expected a string, found `1`"),
    (#"{"t":{"dtype":"F31","shape":[1],"data_offsets":[0,4]}}"#, 4, "unknown dtype \"F31\""),
    (#"{"t":{"dtype":"F32","shape":[01],"data_offsets":[0,4]}}"#, 4, "leading zeros"),
    (#"{"t":{"dtype":"F32","shape":[1.0],"data_offsets":[0,4]}}"#, 4, "found `1.0`"),
    (#"{"t":{"dtype":"F32","shape":[-0],"data_offsets":[0,4]}}"#, 4, "found `-0`"),
    (#"{"t":{"dtype":"F32","shape":[1],"data_offsets":[0]}}"#, 4, "expected two `data_offsets`"),
    (#"{"t":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}"#, 4, "takes 8 bytes"),
    (#"{"t":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#, 3, "cut off"),
    (#"{"t":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#, 5, "the file has 5"),
    (#"{"t":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}"#, 8, "expected it to begin at 0"),
    (#"{"t":{"dtype":"F4","shape":[3],"data_offsets":[0,1]}}"#, 1, "overflows"),
    (
      #"{"t":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,0]}}"#, 0, "overflows"
    ),
    (
      #"{"t":{"dtype":"F32","shape":[0,4611686018427387904,4],"data_offsets":[0,0]}}"#, 0,
      "overflows"
    ),
    (#"{"t":{"dtype":"F32","shape":[1]}}"#, 4, "without `dtype`, `shape` or `data_offsets`"),
    (#"{"\ud800":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#, 4, "surrogate"),
    ("{\"a\nb\":1}", 0, "control character"),
    ("[]", 0, "expected `{`, found `[`"),
    (#"{"t":{"x":[[[NaN]]]}}"#, 0, "expected a value"),
    (#"{"t":{"x":"# + String(repeating: "[", count: 200), 0, "nested deeper"),
  ]

  @Test(arguments: refused) func damagedHeadersAreRefused(
    _ sample: (json: String, data: Int, reason: String)
  ) throws {
    let error = #expect(throws: CheckpointError.self) {
      try opened(sample.json, [UInt8](repeating: 0, count: sample.data))
    }
    let text = error?.description ?? ""
    #expect(text.contains(": not a whole safetensors file: ") && text.contains(sample.reason))
    #expect(!text.contains("\n"))
  }

  /// The folder's cases with what the reference reader answers.
  @Test(.enabled(if: Shared.isPresent, Comment(rawValue: Shared.absence)))
  func answersAsTheReferenceReader() throws {
    let folder = Shared.folder.appendingPathComponent("conformance/safetensors-cases")
    let table = try String(
      contentsOf: folder.appendingPathComponent("expected.tsv"), encoding: .utf8)
    let rows = table.split(separator: "\n").dropFirst()
    #expect(rows.count >= 76)
    for row in rows {
      let fields = row.split(separator: "\t").map(String.init)
      let path = folder.appendingPathComponent(fields[0] + ".safetensors").path
      let file = try? SafetensorsFile(path: path)
      guard fields[2].hasPrefix("ACCEPT") else {
        #expect(file == nil, "\(fields[0]) is to be refused: \(fields[2])")
        continue
      }
      let count = fields[2].split(separator: " ").dropFirst().first.flatMap { Int($0) }
      #expect(file?.entries.count == count, "\(fields[0]) is to be read: \(fields[2])")
      for entry in file?.entries ?? [] where fields[0] != "ok_all_dtypes" {
        let plain = entry.name.unicodeScalars.allSatisfy { $0.isASCII && $0.value >= 32 }
        #expect(!plain || fields[2].contains("'\(entry.name)'"), "\(fields[0])")
      }
    }
  }

  private func opened(_ json: String, _ data: [UInt8]) throws -> SafetensorsFile {
    let folder = try TemporaryFolder()
    let path = folder.path("t.safetensors")
    let length = withUnsafeBytes(of: UInt64(json.utf8.count).littleEndian) { Array($0) }
    try Data(length + Array(json.utf8) + data).write(to: URL(fileURLWithPath: path))
    return try SafetensorsFile(path: path)
  }
}
