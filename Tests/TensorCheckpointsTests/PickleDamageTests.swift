import Foundation
import TensorCheckpoints
import TestSupport
import Testing

/// Pickles and archives that are wrong, or meant to do harm: each gives an error with a reason.
@Suite struct PickleDamageTests {
  /// What a pickle asks for, in each protocol, and the name that it is refused by.
  static let attacks: [(pickle: String, name: String)] = [
    ("cos\nsystem\n(S'true'\ntR.", "os.system"),
    ("(S'true'\nios\nsystem\n.", "os.system"),
    (
      "\u{80}\u{2}cposix\nsystem\nq\u{0}X\u{4}\u{0}\u{0}\u{0}trueq\u{1}\u{85}q\u{2}Rq\u{3}.",
      "posix.system"
    ),
    (
      "\u{80}\u{4}\u{95}\u{1d}\u{0}\u{0}\u{0}\u{0}\u{0}\u{0}\u{0}\u{8c}\u{5}posix\u{94}\u{8c}\u{6}system\u{94}\u{93}\u{94}\u{8c}\u{4}true\u{94}\u{85}\u{94}R\u{94}.",
      "posix.system"
    ),
    ("\u{80}\u{2}cbuiltins\neval\n.", "builtins.eval"),
    ("\u{80}\u{2}c__builtin__\ngetattr\n.", "__builtin__.getattr"),
    ("\u{80}\u{2}ctorch\nload\n.", "torch.load"),
    ("\u{80}\u{2}ctorch.nn.modules.linear\nLinear\n.", "torch.nn.modules.linear.Linear"),
    ("\u{80}\u{2}ctorch\nQInt8Storage\n.", "torch.QInt8Storage"),
    (
      "\u{80}\u{2}ccollections\nOrderedDict.__init__.__globals__\n.",
      "collections.OrderedDict.__init__.__globals__"
    ),
  ]

  @Test(arguments: attacks) func codeIsRefusedByName(
    _ attack: (pickle: String, name: String)
  ) throws {
    let bytes = attack.pickle.unicodeScalars.map { UInt8($0.value) }
    let expected = CheckpointError.refused(path: "f", global: attack.name)
    #expect(throws: expected) { try opened(bytes) }
    #expect(throws: expected) { try opened(archive(pickle: bytes)) }
    #expect(expected.description.hasPrefix("f: refused: its pickle asks for \"\(attack.name)\""))
  }

  /// Data pickles that are wrong, and a part of the reason.
  static let wrong: [(pickle: [UInt8], reason: String)] = {
    let deep = 300_000
    return [
      ([], "cut off"),
      (p("}"), "cut off at byte"),
      (p("0."), "takes more than it has"),
      (p("t."), "no mark to go back to"),
      (p("(0."), "takes more than it has"),
      (p("}K\u{1}s."), "takes more than it has"),
      (p("}(K\u{1}u."), "a key without a value"),
      (p("h\u{5}."), "remembers no number 5"),
      (p("X\u{ff}\u{ff}\u{ff}\u{7f}abc."), "cut off"),
      (p("\u{8d}\u{ff}\u{ff}\u{ff}\u{ff}\u{ff}\u{ff}\u{ff}\u{ff}abc."), "cut off"),
      (p("\u{8b}\u{ff}\u{ff}\u{ff}\u{ff}abc."), "cut off"),
      (p("K\u{1})R."), "calls what is no function"),
      (p("(d."), "pickle opcode `d`"),
      (p("\u{80}\u{9}."), "pickle protocol 9"),
      (p("K\u{1}Q."), "no storage of elements"),
      (p("K\u{1}K\u{1}a."), "appends to no list"),
      // Lists in lists, far deeper than a stack is; huge memo numbers.
      (
        p("") + [UInt8](repeating: 0x5d, count: deep) + [UInt8](repeating: 0x61, count: deep - 1)
          + [0x2e], "nested deeper than 100"
      ),
      (p("]r\u{ff}\u{ff}\u{ff}\u{ff}j\u{ff}\u{ff}\u{ff}\u{ff}a."), "nested deeper than 100"),
      // Each list holds the one before twice: 2^60 values.
      (p("]q\u{0}") + (0..<60).flatMap { _ in p("](h\u{0}h\u{0}eq\u{0}") } + [0x2e], "4 million"),
      // A dictionary of 1000 pairs, copied 1000 times.
      (
        p("ccollections\nOrderedDict\nq\u{1}](") + (0..<1000).flatMap { _ in p("NN\u{86}") }
          + p("eq\u{2}0") + (0..<1000).flatMap { _ in p("h\u{1}h\u{2}\u{85}R0") } + p("N."),
        "copies more than it holds"
      ),
      (tensor(shape: 5, stride: 1), "reaches beyond the 4 elements"),
      (tensor(shape: 2, stride: 4), "reaches beyond the 4 elements"),
      (tensor(shape: 1 << 31 - 1, stride: 1 << 31 - 1), "reaches beyond"),
      (tensor(shape: 1 << 31 - 1, stride: 0), "repeats elements to 8589934588 bytes"),
      (tensor(shape: -1, stride: 1), "shape and strides of whole numbers"),
      (tensor(shape: 1, stride: 1, key: "1"), "no \"archive/data/1\""),
      (tensor(shape: 1, stride: 1, count: 9), "has 16 bytes, expected 9 elements of 4 bytes"),
    ]
  }()

  @Test(arguments: wrong.indices) func wrongPicklesAreNamed(_ index: Int) throws {
    let (pickle, reason) = Self.wrong[index]
    let error = #expect(throws: CheckpointError.self) {
      try opened(archive(pickle: pickle, storage: [UInt8](repeating: 0, count: 16)))
    }
    if case .malformed = error {} else { Issue.record("\(String(describing: error))") }
    let text = error?.description ?? ""
    #expect(text.hasPrefix("f: not a whole PyTorch file: ") && text.contains(reason), "\(text)")
  }

  @Test func theTensorOfTheseCasesIsReadWhereItIsRight() throws {
    let bytes = archive(
      pickle: Self.tensor(shape: 2, stride: 2), storage: [UInt8](repeating: 1, count: 16))
    #expect(try opened(bytes).tensor(named: "tensor").shape == [2])
  }

  @Test func everyCutFileIsRefused() throws {
    for name in ["torch/zip.pt", "torch/deflated.pt", "torch/legacy.pt", "gguf/types.gguf"] {
      let whole = Array(try Data(contentsOf: Shared.golden.appendingPathComponent(name)))
      // The last tensor of a GGUF file is padded to 32 bytes, which nobody misses.
      for length in stride(from: 0, to: whole.count - 32, by: 7) {
        #expect(throws: CheckpointError.self, "\(name) cut at \(length)") {
          try opened(Array(whole[..<length]))
        }
      }
    }
  }

  @Test func wrongDirectoriesAreNamed() throws {
    let good = archive(pickle: p("}."))
    #expect(try opened(good).entries.isEmpty)
    func refused(_ change: (inout [UInt8]) -> Void, _ reason: String) {
      var bytes = good
      change(&bytes)
      let error = #expect(throws: CheckpointError.self) { try opened(bytes) }
      #expect(error?.description.contains(reason) == true, "\(error?.description ?? "")")
    }
    let end = good.count - 22
    let start = end - 46 - "archive/data.pkl".utf8.count
    refused({ $0[end + 16] ^= 1 }, "no entry of the central directory")
    refused({ $0[end + 19] = 0xff }, "the central directory is said to be at")
    refused({ $0[end + 10] = 9 }, "cut off at byte")
    refused({ $0[end] = 0 }, "no central directory at the end")
    refused({ $0[start + 42] = 1 }, "wrong central directory")
    refused({ $0[start + 10] = 9 }, "of compression 9")
    refused({ $0[start + 8] = 1 }, "is encrypted")
    refused(
      {
        $0[start + 20] = 0xff; $0[start + 24] = 0xff
      }, "cut off")
    refused({ $0[start + 24] = 0xff }, "claims")
    refused({ $0[start + 16] ^= 1 }, "the checksum of \"archive/data.pkl\" is another")
    refused({ $0[46 - 16] ^= 1 }, "wrong central directory")
  }

  @Test func aBombOfZerosIsRefused() throws {
    var bytes = archive(pickle: p("}."))
    let start = bytes.count - 22 - 46 - "archive/data.pkl".utf8.count
    bytes[8] = 8
    bytes[start + 10] = 8
    bytes[start + 27] = 0x7f
    let error = #expect(throws: CheckpointError.self) { try opened(bytes) }
    #expect(error?.description.contains("claims") == true)
  }
}

// MARK: - Making files

/// A pickle of protocol 2 with the bytes of these scalars.
private func p(_ text: String) -> [UInt8] { text.unicodeScalars.map { UInt8($0.value) } }

extension PickleDamageTests {
  /// A pickle of one vector over the storage `key` of `count` numbers.
  static func tensor(
    shape: Int, stride: Int, key: Unicode.Scalar = "0", count: UInt8 = 4
  ) -> [UInt8] {
    func integer(_ number: Int) -> [UInt8] {
      [0x4a] + withUnsafeBytes(of: Int32(number).littleEndian) { Array($0) }
    }
    return p("\u{80}\u{2}ctorch._utils\n_rebuild_tensor\n((X\u{7}\u{0}\u{0}\u{0}storage")
      + p("ctorch\nFloatStorage\nX\u{1}\u{0}\u{0}\u{0}") + [UInt8(key.value)]
      + p("X\u{3}\u{0}\u{0}\u{0}cpuK") + [count] + p("tQK\u{0}") + integer(shape) + [0x85]
      + integer(stride) + p("\u{85}tR.")
  }

  func opened(_ bytes: [UInt8]) throws -> any CheckpointSource {
    try openCheckpoint(MappedFile(path: "f", contents: bytes), allowsIndex: false)
  }

  /// A zip archive with the pickle, and the storage `0` if there is one, both stored.
  func archive(pickle: [UInt8], storage: [UInt8]? = nil) -> [UInt8] {
    func number(_ value: Int, _ width: Int) -> [UInt8] {
      (0..<width).map { UInt8(truncatingIfNeeded: value >> ($0 * 8)) }
    }
    let members = [("archive/data.pkl", pickle)] + (storage.map { [("archive/data/0", $0)] } ?? [])
    var (file, directory): ([UInt8], [UInt8]) = ([], [])
    for (name, data) in members {
      let sizes = number(Int(checksum(data)), 4) + number(data.count, 4) + number(data.count, 4)
      let common = number(20, 2) + number(0, 8) + sizes + number(name.utf8.count, 2) + number(0, 2)
      directory += [0x50, 0x4b, 1, 2] + number(20, 2) + common + number(0, 10)
      directory += number(file.count, 4) + Array(name.utf8)
      file += [0x50, 0x4b, 3, 4] + common + Array(name.utf8) + data
    }
    let end = number(0, 4) + number(members.count, 2) + number(members.count, 2)
    return file + directory + [0x50, 0x4b, 5, 6] + end + number(directory.count, 4)
      + number(file.count, 4) + number(0, 2)
  }

  /// CRC-32, bit by bit.
  private func checksum(_ data: [UInt8]) -> UInt32 {
    var value = UInt32.max
    for byte in data {
      value ^= UInt32(byte)
      for _ in 0..<8 { value = value >> 1 ^ (value & 1 == 1 ? 0xedb8_8320 : 0) }
    }
    return ~value
  }
}
