import DiffusionImages
import Foundation

/// The table of a run, `log.csv`: one row a step, on disk as soon as it is known.
public struct TrainingLog: Sendable {
  /// The file.
  public let path: String
  /// The rows so far.
  public private(set) var rows: [Row] = []

  /// One step.
  public struct Row: Sendable, Equatable {
    /// How many steps were made, this one included.
    public var step: Int
    /// The mean loss.
    public var loss: Double
    /// The learning rate.
    public var learningRate: Double
    /// The norm of all gradients, before clipping.
    public var gradientNorm: Double
    /// Examples a second.
    public var imagesPerSecond: Double
    /// The validation loss, where it was measured after this step.
    public var validationLoss: Double?
  }

  private static let header =
    "step,loss,learning_rate,gradient_norm,images_per_second,validation_loss"

  /// The log of a run that goes on after `step` steps: rows beyond that are dropped. At step 0 it begins anew.
  public init(path: String, continuingAfter step: Int) throws(TrainingError) {
    self.path = path
    if step > 0, FileManager.default.fileExists(atPath: path) {
      rows = try Self.read(path).filter { $0.step <= step }
    }
    do {
      try AtomicFile.write(
        ([Self.header] + rows.map(\.line)).map { $0 + "\n" }.joined(), to: path)
    } catch {
      throw .unwritable(path: path, reason: error.description)
    }
  }

  /// Adds a row to the file.
  public mutating func append(_ row: Row) throws(TrainingError) {
    rows.append(row)
    guard let file = FileHandle(forWritingAtPath: path) else {
      throw .unwritable(path: path, reason: "the file is gone or is not writable")
    }
    do {
      try file.seekToEnd()
      try file.write(contentsOf: Data((row.line + "\n").utf8))
      try file.close()
    } catch {
      throw .unwritable(path: path, reason: error.localizedDescription)
    }
  }

  /// The rows of a log file.
  public static func read(_ path: String) throws(TrainingError) -> [Row] {
    guard let text = try? String(contentsOfFile: path, encoding: .utf8) else {
      throw .log(path: path, problem: "the log cannot be read; move it away to begin anew")
    }
    let lines = text.split(separator: "\n")
    guard lines.first.map(String.init) == header else {
      throw .log(path: path, problem: "no training log: its first line is not \(header)")
    }
    // A last line that was being written when the machine stopped is no row.
    return lines.dropFirst().compactMap { Row(line: $0) }
  }
}

extension TrainingLog.Row {
  init?(line: Substring) {
    let fields = line.split(separator: ",", omittingEmptySubsequences: false)
    guard fields.count == 6, let step = Int(fields[0]), let loss = Double(fields[1]),
      let rate = Double(fields[2]), let norm = Double(fields[3]), let speed = Double(fields[4])
    else { return nil }
    self.init(
      step: step, loss: loss, learningRate: rate, gradientNorm: norm, imagesPerSecond: speed,
      validationLoss: Double(fields[5]))
  }

  var line: String {
    let speed = (imagesPerSecond * 100).rounded() / 100
    let validation = validationLoss.map { "\($0)" } ?? ""
    return "\(step),\(loss),\(learningRate),\(gradientNorm),\(speed),\(validation)"
  }
}
