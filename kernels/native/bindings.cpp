// The Python module proofgrid.kernels.native._core: layers, and their kernels over buffers.
//
// Every argument that holds data is a C-contiguous buffer, at any alignment where it is only read. Lengths are taken from
// the buffers and checked against each other here, so that no call can read or write outside them; shapes and dtypes
// are the Python wrapper's. Kernels run without the GIL while the buffers are held.
#include <nanobind/nanobind.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <bit>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "kernels.hpp"
#include "probe.hpp"
#include "proofgrid/checksum.hpp"

namespace nb = nanobind;
using namespace nb::literals;

namespace proofgrid::native {
namespace {

constexpr size_t max_bases = size_t{1} << 31;  // an MSM counts them in 31 bits

// The unit of prepared bases.
struct alignas(64) CacheLine {
  byte bytes[64];
};

// A held buffer: while it lives, the object's memory can be neither resized nor freed.
class Buffer {
 public:
  Buffer(nb::handle object, const char* what, bool writable = false) : what_(what) {
    if (PyObject_GetBuffer(object.ptr(), &view_, writable ? PyBUF_WRITABLE : PyBUF_SIMPLE) != 0) nb::raise_python_error();
  }
  ~Buffer() { PyBuffer_Release(&view_); }
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;

  const byte* data() const { return static_cast<const byte*>(view_.buf); }

  // Number of items of `bytes` each.
  size_t count(size_t bytes) const {
    if (length() % bytes != 0) refuse("is not a whole number of items of " + std::to_string(bytes) + " bytes");
    return length() / bytes;
  }
  // The memory as `count` items of T, aligned.
  template <class T>
  T* items(size_t count) const {
    if (length() != count * sizeof(T)) refuse("must have " + std::to_string(count * sizeof(T)) + " bytes");
    if (count != 0 && reinterpret_cast<std::uintptr_t>(view_.buf) % alignof(T) != 0) refuse("must be aligned");
    return static_cast<T*>(view_.buf);
  }
  // The memory as `bytes` bytes from a cache line on; a memory of none may lie anywhere.
  byte* lines(size_t bytes) const {
    static_cast<void>(items<CacheLine>(bytes / sizeof(CacheLine)));
    return static_cast<byte*>(view_.buf);
  }
  void require_count(size_t bytes, size_t expected) const {
    if (count(bytes) != expected) refuse("must have " + std::to_string(expected) + " items");
  }

 private:
  size_t length() const { return static_cast<size_t>(view_.len); }
  [[noreturn]] void refuse(const std::string& why) const {
    throw MalformedInput(std::string(what_) + ": a buffer of " + std::to_string(length()) + " bytes " + why);
  }

  Py_buffer view_;
  const char* what_;
};

// What Python says about a call: how many threads, and the control's three words or None.
class Call {
 public:
  Call(nb::handle control, unsigned threads) {
    std::uint64_t* words = nullptr;
    if (!control.is_none()) words = buffer_.emplace(control, "control", true).items<std::uint64_t>(3);
    run_.emplace(threads, words);
  }
  // Runs without the GIL.
  template <class Kernel>
  void operator()(const Kernel& kernel) {
    nb::gil_scoped_release unlocked;
    kernel(*run_);
  }

 private:
  std::optional<Buffer> buffer_;
  std::optional<Run> run_;
};

const CurveKernels& curve_of(const Layer& layer, const std::string& name) {
  for (const CurveKernels* curve : {&layer.bn254, &layer.bls12_381}) {
    if (name == curve->name) return *curve;
  }
  throw MalformedInput("no curve is called " + name);
}

const FieldKernels& field_of(const Layer& layer, const std::string& name) {
  for (const CurveKernels* curve : {&layer.bn254, &layer.bls12_381}) {
    for (const FieldKernels* field : {&curve->base, &curve->scalar}) {
      if (name == field->name) return *field;
    }
  }
  throw MalformedInput("no field is called " + name);
}

const GroupKernels& group_of(const Layer& layer, const std::string& curve_name, const std::string& name) {
  const CurveKernels& curve = curve_of(layer, curve_name);
  if (name != "g1" && name != "g2") throw MalformedInput("no group is called " + name);
  return name == "g1" ? curve.g1 : curve.g2;
}

void unary(const Layer& layer, const std::string& field_name, const std::string& op, nb::handle a, nb::handle out,
           unsigned threads) {
  const FieldKernels& field = field_of(layer, field_name);
  const FieldKernels::Unary kernel = op == "neg"         ? field.neg
                                     : op == "square"    ? field.square
                                     : op == "inv"       ? field.inv
                                     : op == "to_mont"   ? field.to_mont
                                     : op == "from_mont" ? field.from_mont
                                                         : nullptr;
  if (!kernel) throw MalformedInput("no unary field operation is called " + op);
  const Buffer input(a, "a"), output(out, "out", true);
  const size_t n = input.count(8 * field.limbs);
  uint64_t* const words = output.items<uint64_t>(n * field.limbs);
  Call{nb::none(), threads}([&](Run& run) { kernel(input.data(), words, n, run); });
}

void binary(const Layer& layer, const std::string& field_name, const std::string& op, nb::handle a, nb::handle b,
            nb::handle out, unsigned threads) {
  const FieldKernels& field = field_of(layer, field_name);
  const FieldKernels::Binary kernel = op == "add"   ? field.add
                                      : op == "sub" ? field.sub
                                      : op == "mul" ? field.mul
                                                    : nullptr;
  if (!kernel) throw MalformedInput("no binary field operation is called " + op);
  const Buffer left(a, "a"), right(b, "b"), output(out, "out", true);
  const size_t n = left.count(8 * field.limbs);
  right.require_count(8 * field.limbs, n);
  uint64_t* const words = output.items<uint64_t>(n * field.limbs);
  Call{nb::none(), threads}([&](Run& run) { kernel(left.data(), right.data(), words, n, run); });
}

void ntt(const Layer& layer, const std::string& field_name, nb::handle values, nb::handle out, bool inverse,
         nb::handle shift, nb::handle control, unsigned threads) {
  const FieldKernels& field = field_of(layer, field_name);
  const Buffer input(values, "values"), output(out, "out", true), offset(shift, "shift");
  const size_t n = input.count(8 * field.limbs);
  if (!std::has_single_bit(n) || std::countr_zero(n) > static_cast<int>(field.two_adicity)) {
    throw MalformedInput("values: an NTT over " + field_name + " has 2^0 to 2^" + std::to_string(field.two_adicity) +
                         " values, not " + std::to_string(n));
  }
  uint64_t* const words = output.items<uint64_t>(n * field.limbs);
  const uint64_t* const shift_words = offset.items<uint64_t>(field.limbs);
  const auto log_n = static_cast<unsigned>(std::countr_zero(n));
  Call{control, threads}([&](Run& run) { field.ntt(input.data(), words, log_n, inverse, shift_words, run); });
}

std::string prepared_form(const Layer& layer, const std::string& curve, const std::string& name) {
  return group_of(layer, curve, name).prepared_form;
}

unsigned most_multiples(const Layer& layer, const std::string& curve, const std::string& name) {
  return group_of(layer, curve, name).most_multiples;
}

void require_multiples(const GroupKernels& group, size_t n, unsigned multiples) {
  if (multiples < 1 || multiples > group.most_multiples) {
    throw MalformedInput("multiples: expected 1 to " + std::to_string(group.most_multiples) + ", got " +
                         std::to_string(multiples));
  }
  if (n >= max_bases / multiples) throw MalformedInput("bases: more than 2^31 - 1, with their multiples");
}

size_t prepared_bytes(const Layer& layer, const std::string& curve, const std::string& name, size_t n,
                      unsigned multiples) {
  const GroupKernels& group = group_of(layer, curve, name);
  require_multiples(group, n, multiples);
  return group.prepared_bytes(n, multiples);
}

void prepare(const Layer& layer, const std::string& curve, const std::string& name, nb::handle bases_mont,
             unsigned multiples, nb::handle out, nb::handle control, unsigned threads) {
  const GroupKernels& group = group_of(layer, curve, name);
  const Buffer points(bases_mont, "bases_mont"), output(out, "out", true);
  const size_t n = points.count(8 * group.point_words);
  require_multiples(group, n, multiples);
  byte* const place = output.lines(group.prepared_bytes(n, multiples));
  Call{control, threads}([&](Run& run) { group.prepare(points.data(), n, multiples, place, run); });
}

MsmJob::Form form_of(const std::string& name) {
  if (name == "canonical") return MsmJob::Form::canonical;
  if (name == "mont") return MsmJob::Form::mont;
  if (name == "prepared") return MsmJob::Form::prepared;
  throw MalformedInput("no form of bases is called " + name);
}

// (group, form, bases, multiples, scalars, window, out, chosen) of one job, and the buffers that it holds.
class HeldJob {
 public:
  HeldJob(const CurveKernels& curve, const nb::tuple& job)
      : bases_(job[2], "bases"), scalars_(job[4], "scalars"), out_(job[6], "out", true) {
    const auto name = nb::cast<std::string>(job[0]);
    if (name != "g1" && name != "g2") throw MalformedInput("no group is called " + name);
    const GroupKernels& group = name == "g1" ? curve.g1 : curve.g2;
    const MsmJob::Form form = form_of(nb::cast<std::string>(job[1]));
    const auto multiples = nb::cast<unsigned>(job[3]), window = nb::cast<unsigned>(job[5]);
    const size_t n = scalars_.count(8 * group.scalar_words);
    if (n >= max_bases) throw MalformedInput("scalars: more than 2^31 - 1");
    if (form == MsmJob::Form::prepared) {
      require_multiples(group, n, multiples);
      bases_.items<const CacheLine>(group.prepared_bytes(n, multiples) / sizeof(CacheLine));
    } else {
      if (multiples != 1) throw MalformedInput("multiples: only prepared bases have them");
      bases_.require_count(8 * group.point_words, n);
    }
    if (window == 1 || window > 16) throw MalformedInput("window: expected 0 or 2 to 16, got " + std::to_string(window));
    job_ = {name == "g1" ? 1u : 2u, form, bases_.data(), scalars_.data(), n, window,
            out_.items<uint64_t>(group.point_words)};
    job_.multiples = multiples;
    if (!job[7].is_none()) {
      chosen_.emplace(job[7], "chosen").require_count(1, (n + 7) / 8);
      job_.chosen = chosen_->data();
    }
  }
  const MsmJob& job() const { return job_; }

 private:
  Buffer bases_, scalars_, out_;
  std::optional<Buffer> chosen_;
  MsmJob job_;
};

void msm_many(const Layer& layer, const std::string& curve_name, const nb::list& jobs, nb::handle control,
              unsigned threads) {
  const CurveKernels& curve = curve_of(layer, curve_name);
  std::deque<HeldJob> held;
  std::vector<MsmJob> plain;
  for (const nb::handle job : jobs) {
    const auto fields = nb::cast<nb::tuple>(job);
    if (fields.size() != 8) {
      throw MalformedInput("job: expected (group, form, bases, multiples, scalars, window, out, chosen)");
    }
    plain.push_back(held.emplace_back(curve, fields).job());
  }
  Call{control, threads}([&](Run& run) { curve.msm_many(plain.data(), plain.size(), run); });
}

void scale(const Layer& layer, const std::string& curve, const std::string& name, nb::handle base, nb::handle scalars,
           bool result_mont, nb::handle out, nb::handle control, unsigned threads) {
  const GroupKernels& group = group_of(layer, curve, name);
  const Buffer point(base, "base"), factors(scalars, "scalars"), output(out, "out", true);
  const size_t n = factors.count(8 * group.scalar_words);
  const uint64_t* const base_words = point.items<uint64_t>(group.point_words);
  uint64_t* const words = output.items<uint64_t>(n * group.point_words);
  Call{control, threads}([&](Run& run) { group.scale(base_words, factors.data(), n, result_mont, words, run); });
}

void scale_each(const Layer& layer, const std::string& curve, const std::string& name, nb::handle bases,
                nb::handle scalars, nb::handle out, nb::handle control, unsigned threads) {
  const GroupKernels& group = group_of(layer, curve, name);
  const Buffer points(bases, "bases"), factors(scalars, "scalars"), output(out, "out", true);
  const size_t n = points.count(8 * group.point_words);
  factors.require_count(8 * group.scalar_words, n);
  uint64_t* const words = output.items<uint64_t>(n * group.point_words);
  Call{control, threads}([&](Run& run) { group.scale_each(points.data(), factors.data(), n, words, run); });
}

void add_points(const Layer& layer, const std::string& curve, const std::string& name, nb::handle a, nb::handle b,
                nb::handle out, unsigned threads) {
  const GroupKernels& group = group_of(layer, curve, name);
  const Buffer left(a, "a"), right(b, "b"), output(out, "out", true);
  const size_t n = left.count(8 * group.point_words);
  right.require_count(8 * group.point_words, n);
  uint64_t* const words = output.items<uint64_t>(n * group.point_words);
  Call{nb::none(), threads}([&](Run& run) { group.add_points(left.data(), right.data(), n, words, run); });
}

void check_points(const Layer& layer, const std::string& curve, const std::string& name, nb::handle points,
                  nb::handle out, unsigned threads) {
  const GroupKernels& group = group_of(layer, curve, name);
  const Buffer input(points, "points"), output(out, "out", true);
  const size_t n = input.count(8 * group.point_words);
  auto* const ok = output.items<std::uint8_t>(n);
  Call{nb::none(), threads}([&](Run& run) { group.check_points(input.data(), n, ok, run); });
}

uint64_t checksum(const Layer&, nb::handle data, unsigned threads) {
  const Buffer bytes(data, "data");
  uint64_t sum = 0;
  Call{nb::none(), threads}([&](Run& run) { sum = proofgrid::checksum(bytes.data(), bytes.count(1), run); });
  return sum;
}

void pairing_product(const Layer& layer, const std::string& curve_name, nb::handle g1, nb::handle g2, nb::handle out,
                     unsigned threads) {
  const CurveKernels& curve = curve_of(layer, curve_name);
  const Buffer left(g1, "g1"), right(g2, "g2"), output(out, "out", true);
  const size_t n = left.count(8 * curve.g1.point_words);
  right.require_count(8 * curve.g2.point_words, n);
  uint64_t* const words = output.items<uint64_t>(12 * curve.base.limbs);
  Call{nb::none(), threads}([&](Run& run) { curve.pairing_product(left.data(), right.data(), n, words, run); });
}

size_t lines_bytes(const Layer& layer, const std::string& curve) { return curve_of(layer, curve).lines_bytes; }

void prepare_lines(const Layer& layer, const std::string& curve_name, nb::handle g2, nb::handle out, nb::handle ok,
                   unsigned threads) {
  const CurveKernels& curve = curve_of(layer, curve_name);
  const Buffer points(g2, "g2"), output(out, "out", true), answers(ok, "ok", true);
  const size_t n = points.count(8 * curve.g2.point_words);
  output.require_count(curve.lines_bytes, n);
  byte* const place = output.lines(n * curve.lines_bytes);
  auto* const good = answers.items<std::uint8_t>(n);
  Call{nb::none(), threads}([&](Run& run) { curve.prepare_lines(points.data(), n, place, good, run); });
}

// `lines`: buffers that prepare_lines wrote, of as many points together as there are in g1.
void pairing_of_lines(const Layer& layer, const std::string& curve_name, nb::handle g1, const nb::list& lines,
                      nb::handle out, unsigned threads) {
  const CurveKernels& curve = curve_of(layer, curve_name);
  const Buffer left(g1, "g1"), output(out, "out", true);
  std::deque<Buffer> held;
  std::vector<const byte*> right;
  for (const nb::handle object : lines) {
    const Buffer& buffer = held.emplace_back(object, "lines");
    const size_t count = buffer.count(curve.lines_bytes);
    const byte* const first = buffer.lines(count * curve.lines_bytes);
    for (size_t i = 0; i < count; ++i) right.push_back(first + i * curve.lines_bytes);
  }
  left.require_count(8 * curve.g1.point_words, right.size());
  uint64_t* const words = output.items<uint64_t>(12 * curve.base.limbs);
  Call{nb::none(), threads}(
      [&](Run& run) { curve.pairing_of_lines(left.data(), right.data(), right.size(), words, run); });
}

void quotient(const Layer& layer, const std::string& curve_name, nb::handle coefficients, nb::handle witness,
              unsigned log_n, nb::handle out, nb::handle control, unsigned threads) {
  const CurveKernels& curve = curve_of(layer, curve_name);
  const size_t element_bytes = 8 * curve.scalar.limbs;
  const Buffer records(coefficients, "coefficients"), values(witness, "witness"), output(out, "out", true);
  const size_t count = records.count(12 + element_bytes), signals = values.count(element_bytes);
  if (log_n >= curve.scalar.two_adicity) {
    throw MalformedInput("log_n: expected less than " + std::to_string(curve.scalar.two_adicity) + ", got " +
                         std::to_string(log_n));
  }
  uint64_t* const words = output.items<uint64_t>((size_t{1} << log_n) * curve.scalar.limbs);
  Call{control, threads}([&](Run& run) {
    curve.quotient(records.data(), count, values.data(), signals, log_n, words, run);
  });
}

// Python's classes for the two errors of run.hpp, kept for the life of the process.
struct Errors {
  PyObject* malformed_input;
  PyObject* cancelled;
};

void translate(const std::exception_ptr& error, void* payload) {
  const auto* errors = static_cast<const Errors*>(payload);
  try {
    std::rethrow_exception(error);
  } catch (const MalformedInput& malformed) {
    PyErr_SetString(errors->malformed_input, malformed.what());
  } catch (const Cancelled& cancelled) {
    PyErr_SetString(errors->cancelled, cancelled.what());
  }
}

}  // namespace
}  // namespace proofgrid::native

NB_MODULE(_core, m) {
  using namespace proofgrid::native;
  static Errors errors;
  const nb::module_ tree = nb::module_::import_("proofgrid.errors");
  errors.malformed_input = nb::object(tree.attr("MalformedInput")).release().ptr();
  errors.cancelled = nb::object(tree.attr("Cancelled")).release().ptr();
  nb::register_exception_translator(translate, &errors);

  nb::class_<Layer>(m, "Layer", "One way of multiplying, and every kernel built on it.")
      .def_prop_ro("name", [](const Layer& layer) { return layer.name; })
      .def_prop_ro("runs_here", [](const Layer& layer) { return layer.runs_here(); })
      .def("unary", unary, "field"_a, "op"_a, "a"_a, "out"_a, "threads"_a)
      .def("binary", binary, "field"_a, "op"_a, "a"_a, "b"_a, "out"_a, "threads"_a)
      .def("ntt", ntt, "field"_a, "values"_a, "out"_a, "inverse"_a, "shift"_a, "control"_a.none(), "threads"_a)
      .def("prepared_form", prepared_form, "curve"_a, "group"_a)
      .def("most_multiples", most_multiples, "curve"_a, "group"_a)
      .def("prepared_bytes", prepared_bytes, "curve"_a, "group"_a, "n"_a, "multiples"_a)
      .def("prepare", prepare, "curve"_a, "group"_a, "bases_mont"_a, "multiples"_a, "out"_a, "control"_a.none(),
           "threads"_a)
      .def("checksum", checksum, "data"_a, "threads"_a)
      .def("msm_many", msm_many, "curve"_a, "jobs"_a, "control"_a.none(), "threads"_a)
      .def("scale", scale, "curve"_a, "group"_a, "base"_a, "scalars"_a, "result_mont"_a, "out"_a,
           "control"_a.none(), "threads"_a)
      .def("scale_each", scale_each, "curve"_a, "group"_a, "bases"_a, "scalars"_a, "out"_a, "control"_a.none(),
           "threads"_a)
      .def("add_points", add_points, "curve"_a, "group"_a, "a"_a, "b"_a, "out"_a, "threads"_a)
      .def("check_points", check_points, "curve"_a, "group"_a, "points"_a, "out"_a, "threads"_a)
      .def("pairing_product", pairing_product, "curve"_a, "g1"_a, "g2"_a, "out"_a, "threads"_a)
      .def("lines_bytes", lines_bytes, "curve"_a)
      .def("prepare_lines", prepare_lines, "curve"_a, "g2"_a, "out"_a, "ok"_a, "threads"_a)
      .def("pairing_of_lines", pairing_of_lines, "curve"_a, "g1"_a, "lines"_a, "out"_a, "threads"_a)
      .def("quotient", quotient, "curve"_a, "coefficients"_a, "witness"_a, "log_n"_a, "out"_a, "control"_a.none(),
           "threads"_a);
  nb::list all;
  for (const Layer* layer : layers()) all.append(nb::cast(layer, nb::rv_policy::reference));
  m.attr("layers") = nb::tuple(all);
  m.def("probe", [] {
    nb::gil_scoped_release unlocked;
    const Rates rates = probe();
    return std::vector<double>{rates.cycles_per_second, rates.mul64_per_second, rates.vpmadd52_per_second};
  });
}
