import Foundation
import TestSupport
import Testing

/// The operator cases of the ONNX project, computed by the engine. Layouts are converted by the adapters in Onnx/.
@Suite(.enabled(if: Shared.isPresent, Comment(rawValue: Shared.absence)))
struct OnnxConformanceTests {
  private static let folder = Shared.folder.appendingPathComponent("conformance/onnx-ops")

  /// The files that are left out, each with its reason.
  private func skipped() throws -> [String: String] {
    let list = Shared.golden.appendingPathComponent("onnx-skipped.tsv")
    let lines = try String(contentsOf: list, encoding: .utf8).split(separator: "\n").dropFirst()
    return Dictionary(
      lines.map { line in
        let fields = line.split(separator: "\t", maxSplits: 1).map(String.init)
        return (fields[0], fields.count > 1 ? fields[1] : "")
      }, uniquingKeysWith: { $1 })
  }

  private func files() throws -> [String] {
    let index = try String(
      contentsOf: Self.folder.appendingPathComponent("index.tsv"), encoding: .utf8)
    return index.split(separator: "\n").dropFirst()
      .compactMap { $0.split(separator: "\t").first.map(String.init) }
  }

  @Test func everyCaseAgreesOrIsListedWithItsReason() throws {
    let (files, skipped) = (try files(), try skipped())
    var passed = 0
    for file in files where skipped[file] == nil {
      do {
        let path = Self.folder.appendingPathComponent(file).path
        if let difference = try OnnxCase(path: path).difference() {
          Issue.record("\(file): \(difference)")
        } else {
          passed += 1
        }
      } catch let error as OnnxUnsupported {
        Issue.record("\(file) is not listed, but: \(error.reason)")
      }
    }
    #expect(passed >= 500)
    #expect(passed + skipped.count == files.count)
  }

  @Test func whatIsListedIsThereAndHasAReason() throws {
    let files = Set(try files())
    for (file, reason) in try skipped() {
      #expect(files.contains(file), "\(file) is listed but missing")
      #expect(!reason.isEmpty, "\(file) is listed without a reason")
    }
  }
}
