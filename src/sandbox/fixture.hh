// For this room's tests: a helper of its own per test, a job, and a look that nothing is left behind.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

#include "sandbox/helper.hh"
#include "sandbox/sandbox.hh"

namespace assay::sandbox::testing {

// A fill whose archives are plain lists of "path=content\n" lines; "path/" makes a directory, "path@target" a link.
int fill_from_lines(int archive, const char* prefix);

int patience();  // testing/patience.hh

class SandboxTest : public ::testing::Test {
protected:
    void SetUp() override;
    void TearDown() override;  // Ends the helper, then checks processes, groups and mounts.

    void restart(bool allow_binds, const std::string& data = {}, int cores_per_slot = 0,
                 const DiskPace& disk_reads = {}, const DiskScratchRules& disk_scratch = {},
                 const std::string& jobs_group = {});
    Job open_job(int slot = 0, std::int64_t memory_max_bytes = 512LL << 20);
    static Request request(std::vector<std::string> command, std::string stage = "test");
    static Request shell(const std::string& script, std::string stage = "test") { return request({"/bin/sh", "-c", script}, std::move(stage)); }
    static Request python(const std::string& script, std::string stage = "test") { return request({"/usr/bin/python3", "-c", script}, std::move(stage)); }
    // Runs one command in a job of its own.
    Finished run(const Request&);
    Finished run(Job&, const Request&);
    static sys::Fd archive(const std::string& lines);
    static std::string text_of_report(const Finished&);
    void stop();  // ends the helper

    std::string id_;
    Helper helper_;
    std::optional<Client> client_;

private:
    std::string mounts_before_;
};

}  // namespace assay::sandbox::testing
